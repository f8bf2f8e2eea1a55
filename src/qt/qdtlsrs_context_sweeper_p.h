// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_CONTEXT_SWEEPER_P_H
#define QDTLSRS_CONTEXT_SWEEPER_P_H

#include "qdtlsrs_context_cache_p.h"

#include <condition_variable>
#include <thread>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

// Drops unused contexts when their time is over. It is a thread because no other may come by: the
// threads that use QDtls need not have an event loop, and may have ended. It ends when no unused
// context is left. It is no QThread, whose constructor crashes when memory is missing.
class ContextSweeper {
public:
    explicit ContextSweeper(ContextCache &cache);
    ~ContextSweeper();
    Q_DISABLE_COPY_MOVE(ContextSweeper)

    // Both are called with the cache's mutex locked. A sweep will begin at the deadline, unless it
    // returns false: no thread can be started.
    bool ensureRunning(const QDeadlineTimer &deadline);
    void askToEnd();

private:
    void run();
    void waitForEnd();

    ContextCache &cache;
    // Not QWaitCondition, which ThreadSanitizer does not see unlock the mutex.
    std::condition_variable_any wake;
    QDeadlineTimer next; // when an active `run` looks again
    bool active = false;
    bool ending = false;
    std::thread thread;
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_CONTEXT_SWEEPER_P_H
