// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_CONTEXT_CACHE_P_H
#define QDTLSRS_CONTEXT_CACHE_P_H

#include "qdtlsrs_context_p.h"

#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qmutex.h>

#include <list>
#include <memory>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

class ContextSweeper;

// What distinguishes contexts.
struct ContextKey {
    QSslSocket::SslMode mode;
    bool rootsOnDemand;
    QSslConfiguration original; // recognised without a comparison when an application reuses it
    // What a context depends on, but for the private key: Qt compares keys by encoding both.
    QSslConfiguration shared;
};

// The contexts that are in use, and for a while those that are not: see qdtls_context_retention. A
// context and its key go when that time is over, whether or not the application calls QDtls.
class ContextCache {
public:
    // A context of an equal key. Fills in the rest of `wanted` if there is none.
    static std::shared_ptr<SharedContext> find(ContextKey &wanted);
    // Lists a new context. Returns the one of an equal key if another thread was faster.
    static std::shared_ptr<SharedContext>
    add(ContextKey &wanted, std::shared_ptr<SharedContext> made, bool issuesTickets);

    ContextCache();
    ~ContextCache();
    Q_DISABLE_COPY_MOVE(ContextCache)

private:
    struct Entry {
        ContextKey key;
        std::shared_ptr<SharedContext> context;
        std::weak_ptr<SharedContext> users;
        bool issuesTickets;
        QDeadlineTimer replaced; // gets no new users from then on
        QDeadlineTimer dropped; // while it has no users
    };
    // Entries move from list to list without an allocation, and those that go are destroyed
    // unlocked, for that takes long.
    using Entries = std::list<Entry>;
    friend class ContextSweeper;
    struct Release;

    // To be called with the mutex locked.
    Entries::iterator lookUp(ContextKey &wanted);
    std::shared_ptr<SharedContext> use(Entries::iterator entry);
    void limitUnused(size_t most, Entries &gone);
    void takeExpired(Entries &gone);
    QDeadlineTimer nextDrop() const;
    bool sweepAt(const QDeadlineTimer &deadline);

    void release(const std::shared_ptr<SharedContext> &context);

    QMutex mutex;
    Entries entries; // the most recently used first
    std::unique_ptr<ContextSweeper> sweeper; // null until a context is unused
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_CONTEXT_CACHE_P_H
