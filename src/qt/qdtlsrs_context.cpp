// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_context_p.h"

#include "qdtlsrs_private_access_p.h"

#include "qtlsbackend_openssl_p.h"
#include "qx509_openssl_p.h"

#include <QtNetwork/private/qtlsbackend_p.h>

#include <QtNetwork/qssldiffiehellmanparameters.h>

#include <qdtls_rs.h>

#include <QtCore/qdeadlinetimer.h>

#include <algorithm>
#include <chrono>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

// The part of a configuration that a context depends on: without what belongs to one connection.
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
    return configuration;
}

struct Entry {
    QSslSocket::SslMode mode;
    QSslConfiguration original; // recognised without a comparison when an application reuses it
    QSslConfiguration shared;
    bool rootsOnDemand;
    std::weak_ptr<SharedContext> context;
    std::shared_ptr<SharedContext> kept; // null unless later connections may resume sessions
    QDeadlineTimer keptUntil;
};

// A ticket key decrypts all sessions resumed with it, so it is replaced after this time.
constexpr auto ticketKeyLifetime = std::chrono::hours(1);

// Few applications use more than a handful of configurations. Beyond this number the oldest
// contexts are forgotten, and made again when needed.
constexpr qsizetype maximumEntries = 32;

// Enough for two chains.
constexpr qsizetype maximumCertificates = 8;

struct Cache {
    QMutex mutex;
    QList<Entry> entries; // the most recently used first
};

Q_GLOBAL_STATIC(Cache, cache)

// The same side and roots, and the same data.
bool isSame(const Entry &entry, const Entry &wanted)
{
    return entry.mode == wanted.mode && entry.rootsOnDemand == wanted.rootsOnDemand
        && shareData(entry.original, wanted.original);
}

// The same side and roots, and equal data.
bool isEqual(const Entry &entry, const Entry &wanted)
{
    return entry.mode == wanted.mode && entry.rootsOnDemand == wanted.rootsOnDemand
        && entry.shared == wanted.shared;
}

// Returns the context of an entry like `wanted` that is still in use, and fills in the shared part
// of `wanted`. To be called with the cache locked.
std::shared_ptr<SharedContext> lookUp(Entry &wanted)
{
    auto &entries = cache->entries;
    entries.removeIf([](const Entry &entry) { return entry.kept && entry.keptUntil.hasExpired(); });
    const auto findBy = [&](auto predicate) {
        return std::find_if(entries.begin(), entries.end(),
                            [&](const Entry &entry) { return predicate(entry, wanted); });
    };
    auto found = findBy(isSame);
    if (found == entries.end()) {
        wanted.shared = sharedPartOf(wanted.mode, wanted.original);
        found = findBy(isEqual);
    } else {
        wanted.shared = found->shared;
    }
    if (found == entries.end())
        return {};
    auto context = found->context.lock();
    if (context)
        std::rotate(entries.begin(), found, found + 1);
    else
        entries.erase(found);
    return context;
}

std::shared_ptr<SharedContext> make(const Entry &wanted, QString *error)
{
    const auto made =
        QSslContext::sharedFromConfiguration(wanted.mode, wanted.shared, wanted.rootsOnDemand);
    if (made->error() != QSslError::NoError) {
        *error = made->errorString();
        return {};
    }
    auto context = std::make_shared<SharedContext>(made);
    if (qdtls_context_prepare(context->handle()) != QDTLS_STATUS_OK) {
        qdtls_error failure = {};
        qdtls_last_error(&failure);
        *error = QString::fromUtf8(failure.reason);
        return {};
    }
    return context;
}

} // namespace

SharedContext::SharedContext(std::shared_ptr<QSslContext> qtContext)
    : context(std::move(qtContext))
{
}

SSL_CTX *SharedContext::handle() const
{
    return nativeContext(*context);
}

QSslCertificate SharedContext::certificateFrom(X509 *x509)
{
    {
        const QMutexLocker lock(&mutex);
        const auto isSame = [x509](const QSslCertificate &certificate) {
            return q_X509_cmp(reinterpret_cast<X509 *>(certificate.handle()), x509) == 0;
        };
        const auto found = std::find_if(certificates.begin(), certificates.end(), isSame);
        if (found != certificates.end()) {
            std::rotate(certificates.begin(), found, found + 1);
            return certificates.constFirst();
        }
    }
    // Made unlocked, for it takes long. Two threads may make the same one, which is then listed
    // twice.
    const auto made = QTlsPrivate::X509CertificateOpenSSL::certificateFromX509(x509);
    if (made.handle()) {
        const QMutexLocker lock(&mutex);
        certificates.prepend(made);
        if (certificates.size() > maximumCertificates)
            certificates.removeLast();
    }
    return made;
}

std::shared_ptr<SharedContext> SharedContext::find(QSslSocket::SslMode mode,
                                                   const QSslConfiguration &configuration,
                                                   bool outlivesConnections, QString *error)
{
    const bool rootsOnDemand = QTlsBackend::rootLoadingOnDemandAllowed(configuration);
    Entry wanted {
        mode, configuration, {}, rootsOnDemand, {}, {}, QDeadlineTimer(ticketKeyLifetime)
    };
    {
        const QMutexLocker lock(&cache->mutex);
        if (auto context = lookUp(wanted))
            return context;
    }
    // Made unlocked: many certificates take long, and other threads want other contexts.
    const auto context = make(wanted, error);
    if (!context)
        return {};
    const QMutexLocker lock(&cache->mutex);
    if (auto other = lookUp(wanted)) // another thread was faster
        return other;
    wanted.context = context;
    if (outlivesConnections)
        wanted.kept = context;
    auto &entries = cache->entries;
    entries.prepend(wanted);
    if (entries.size() > maximumEntries)
        entries.removeLast();
    return context;
}

void SharedContext::forgetUnused()
{
    if (cache.isDestroyed())
        return;
    const QMutexLocker lock(&cache->mutex);
    cache->entries.removeIf([](const Entry &entry) {
        return entry.context.expired() || (entry.kept && entry.keptUntil.hasExpired());
    });
}

} // namespace QdtlsRs

QT_END_NAMESPACE
