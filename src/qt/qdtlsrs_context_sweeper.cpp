// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_context_sweeper_p.h"

#include <chrono>
#include <system_error>

#ifdef Q_OS_UNIX
#include <signal.h>
#endif

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

// While it exists, this thread and those that it starts get no signals: handlers are written for
// the application's threads.
class SignalBlocker {
public:
#ifdef Q_OS_UNIX
    SignalBlocker()
    {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    ~SignalBlocker()
    {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

private:
    sigset_t before;
#else
    SignalBlocker() { }
#endif
    Q_DISABLE_COPY_MOVE(SignalBlocker)
};

} // namespace

ContextSweeper::ContextSweeper(ContextCache &cache)
    : cache(cache)
{
}

ContextSweeper::~ContextSweeper()
{
    waitForEnd();
}

void ContextSweeper::waitForEnd()
{
    if (thread.joinable())
        thread.join();
}

bool ContextSweeper::ensureRunning(const QDeadlineTimer &deadline)
{
    if (active) {
        if (deadline < next)
            wake.notify_one();
        return true;
    }
    waitForEnd(); // `run` needs the mutex no more
    const SignalBlocker blocker;
    try {
        thread = std::thread([this] { run(); });
        active = true;
    } catch (const std::system_error &) {
        // The limit on threads is reached.
    }
    return active;
}

void ContextSweeper::askToEnd()
{
    ending = true;
    wake.notify_one();
}

void ContextSweeper::run()
{
    QMutexLocker lock(&cache.mutex);
    for (;;) {
        next = cache.nextDrop();
        if (ending || next.isForever())
            break;
        wake.wait_until(cache.mutex, next.deadline<std::chrono::steady_clock>());
        ContextCache::Entries gone;
        cache.takeExpired(gone);
        lock.unlock();
        gone.clear();
        lock.relock();
    }
    active = false;
}

} // namespace QdtlsRs

QT_END_NAMESPACE
