// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_context_cache_p.h"

#include "qdtlsrs_context_sweeper_p.h"
#include "qdtlsrs_memory_p.h"
#include "qdtlsrs_private_access_p.h"

#include <QtNetwork/private/qtlsbackend_p.h>

#include <QtNetwork/qssldiffiehellmanparameters.h>
#include <QtNetwork/qsslkey.h>

#include <qdtls_rs.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>

#ifdef Q_OS_WIN
#include <qt_windows.h>
#else
#include <pthread.h>
#endif

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

Q_GLOBAL_STATIC(ContextCache, cache)

// Few applications use more than a handful of configurations at a time. Beyond this number the
// least recently used contexts are forgotten, and made again when needed.
constexpr size_t maximumEntries = 32;

// Without the private key and what belongs to one connection.
QSslConfiguration sharedPartOf(QSslSocket::SslMode mode, QSslConfiguration configuration)
{
    // Only a server uses them, and QSslContext ends the program when it lacks the memory to decode
    // them.
    if (mode == QSslSocket::SslClientMode)
        configuration.setDiffieHellmanParameters({});
    QTlsBackend::clearPeerCertificates(configuration);
    configuration.setSessionTicket({});
    configuration.setAllowedNextProtocols({});
    setTicketLifetimeHint(configuration, -1);
    setNegotiatedProtocol(configuration, {});
    configuration.setPrivateKey({});
    return configuration;
}

bool areEqual(const QSslKey &one, const QSslKey &other)
{
    return (one.handle() && one.handle() == other.handle()) || one == other;
}

bool haveSameSide(const ContextKey &one, const ContextKey &other)
{
    return one.mode == other.mode && one.rootsOnDemand == other.rootsOnDemand;
}

qdtls_retention retentionOf(bool issuesTickets)
{
    qdtls_retention retention = {};
    qdtls_context_retention(issuesTickets, &retention);
    return retention;
}

QDeadlineTimer after(uint64_t seconds)
{
    return QDeadlineTimer(std::chrono::seconds(seconds));
}

} // namespace

std::shared_ptr<SharedContext> ContextCache::find(ContextKey &wanted)
{
    Entries gone;
    const QMutexLocker lock(&cache->mutex);
    cache->takeExpired(gone);
    const auto found = cache->lookUp(wanted);
    return found == cache->entries.end() ? nullptr : cache->use(found);
}

std::shared_ptr<SharedContext>
ContextCache::add(ContextKey &wanted, std::shared_ptr<SharedContext> made, bool issuesTickets)
{
    const uint64_t total = retentionOf(issuesTickets).total_s;
    const auto replaced = total ? after(total) : QDeadlineTimer(QDeadlineTimer::Forever);
    Entries fresh, gone;
    // Without memory for its first user it goes at the next call.
    const QDeadlineTimer expired;
    fresh.push_back({ wanted, std::move(made), {}, issuesTickets, replaced, expired });
    const QMutexLocker lock(&cache->mutex);
    auto &entries = cache->entries;
    auto found = cache->lookUp(wanted);
    if (found == entries.end()) {
        found = fresh.begin();
        entries.splice(entries.begin(), fresh);
        if (entries.size() > maximumEntries)
            gone.splice(gone.begin(), entries, std::prev(entries.end()));
    }
    return cache->use(found);
}

// The entry of an equal key, if it may have new users.
ContextCache::Entries::iterator ContextCache::lookUp(ContextKey &wanted)
{
    const auto findBy = [&](auto isLike) {
        return std::find_if(entries.begin(), entries.end(), [&](const Entry &entry) {
            return haveSameSide(entry.key, wanted) && isLike(entry.key);
        });
    };
    const auto same =
        findBy([&](const ContextKey &key) { return shareData(key.original, wanted.original); });
    if (same != entries.end())
        return same;
    wanted.shared = sharedPartOf(wanted.mode, wanted.original);
    const auto equal = findBy([&](const ContextKey &key) {
        return key.shared == wanted.shared
            && areEqual(key.original.privateKey(), wanted.original.privateKey());
    });
    // The application's present objects will come again sooner than equal ones of an earlier time,
    // and are then known without a look at what they contain.
    if (equal != entries.end()) {
        equal->key.original.swap(wanted.original);
        equal->key.shared.swap(wanted.shared);
    }
    return equal;
}

// Called after the last user, which may be in a destructor.
struct ContextCache::Release {
    std::shared_ptr<SharedContext> context;

    void operator()(SharedContext *)
    {
        // Weak references keep the function, so it gives its own reference up.
        const auto released = std::move(context);
        if (released && !cache.isDestroyed())
            cache->release(released);
    }
};

// Gives the context to one user more. What is returned calls `release` after the last one.
std::shared_ptr<SharedContext> ContextCache::use(Entries::iterator entry)
{
    entries.splice(entries.begin(), entries, entry);
    auto user = entry->users.lock();
    if (!user) {
        // It gets its reference last: it is also called when there is no memory for the pointer.
        user = { entry->context.get(), Release() };
        std::get_deleter<Release>(user)->context = entry->context;
        entry->users = user;
    }
    entry->dropped = QDeadlineTimer(QDeadlineTimer::Forever);
    return user;
}

void ContextCache::release(const std::shared_ptr<SharedContext> &context)
{
    Entries gone;
    const QMutexLocker lock(&mutex);
    const auto entry = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry &entry) { return entry.context == context; });
    // It may have been forgotten, or have got a new user.
    if (entry == entries.end() || !entry->users.expired())
        return;
    const qdtls_retention retention = retentionOf(entry->issuesTickets);
    entry->dropped = std::min(after(retention.unused_s), entry->replaced);
    if (retention.unused_s == 0 || !sweepAt(entry->dropped))
        gone.splice(gone.begin(), entries, entry);
    limitUnused(retention.most_unused, gone);
    takeExpired(gone);
}

void ContextCache::limitUnused(size_t most, Entries &gone)
{
    size_t unused = 0;
    for (auto entry = entries.begin(); entry != entries.end();) {
        const auto present = entry++;
        if (!present->dropped.isForever() && ++unused > most)
            gone.splice(gone.begin(), entries, present);
    }
}

void ContextCache::takeExpired(Entries &gone)
{
    for (auto entry = entries.begin(); entry != entries.end();) {
        const auto present = entry++;
        if (present->dropped.hasExpired() || present->replaced.hasExpired())
            gone.splice(gone.begin(), entries, present);
    }
}

QDeadlineTimer ContextCache::nextDrop() const
{
    QDeadlineTimer next(QDeadlineTimer::Forever);
    for (const Entry &entry : entries)
        next = std::min(next, entry.dropped);
    return next;
}

bool ContextCache::sweepAt(const QDeadlineTimer &deadline)
{
    bool isRunning = false;
    const auto run = [&] {
        if (!sweeper)
            sweeper = std::make_unique<ContextSweeper>(*this);
        isRunning = sweeper->ensureRunning(deadline);
    };
    return hasMemoryFor(run) && isRunning;
}

#ifdef Q_OS_WIN

// A DLL cannot wait for a thread when it goes: that needs a lock of Windows to end. So it stays as
// long as the process.
ContextCache::ContextCache()
{
    constexpr DWORD stay = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    HMODULE plugin = nullptr;
    GetModuleHandleExW(stay, reinterpret_cast<LPCWSTR>(&maximumEntries), &plugin);
}

// At exit Windows has ended the sweeper, wherever that was, and may have cleaned OpenSSL up: both
// are left alone.
ContextCache::~ContextCache()
{
    (void)sweeper.release();
    (void)new (std::nothrow) Entries(std::move(entries));
}

#else

// A child of fork() has no sweeper, and what it waits with cannot be destroyed there.
ContextCache::ContextCache()
{
    const auto lock = [] {
        if (cache.exists())
            cache->mutex.lock();
    };
    const auto unlock = [] {
        if (cache.exists())
            cache->mutex.unlock();
    };
    const auto unlockInChild = [] {
        if (!cache.exists())
            return;
        (void)cache->sweeper.release();
        cache->mutex.unlock();
    };
    pthread_atfork(lock, unlock, unlockInChild);
}

ContextCache::~ContextCache()
{
    if (!sweeper)
        return;
    {
        const QMutexLocker lock(&mutex);
        sweeper->askToEnd();
    }
    sweeper.reset();
}

#endif

} // namespace QdtlsRs

QT_END_NAMESPACE
