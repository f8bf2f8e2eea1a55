// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_context_p.h"

#include "qtlsbackend_openssl_p.h"
#include "qx509_openssl_p.h"

#include <QtNetwork/private/qsslconfiguration_p.h>
#include <QtNetwork/private/qtlsbackend_p.h>

#include <QtNetwork/qssldiffiehellmanparameters.h>

#include <qdtls_rs.h>

#include <QtCore/qdeadlinetimer.h>

#include <algorithm>
#include <chrono>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

// Two members that Qt keeps private and offers no way to. An explicit instantiation may name them
// (C++17, [temp.explicit]), so that no header of Qt's has to change.
struct ContextMember {
    using Pointer = SSL_CTX *QSslContext::*;
    friend Pointer pointerTo(ContextMember);
};

struct ConfigurationMember {
    using Pointer = QSharedDataPointer<QSslConfigurationPrivate> QSslConfiguration::*;
    friend Pointer pointerTo(ConfigurationMember);
};

template <typename Member, typename Member::Pointer pointer> struct Reveal {
    friend typename Member::Pointer pointerTo(Member) { return pointer; }
};

template struct Reveal<ContextMember, &QSslContext::ctx>;
template struct Reveal<ConfigurationMember, &QSslConfiguration::d>;

const QSslConfigurationPrivate *identityOf(const QSslConfiguration &configuration)
{
    return (configuration.*pointerTo(ConfigurationMember())).constData();
}

QSslConfigurationPrivate &writable(QSslConfiguration &configuration)
{
    return *(configuration.*pointerTo(ConfigurationMember())).data();
}

// What makes a context: the configuration without what belongs to one connection.
QSslConfiguration sharedPartOf(QSslSocket::SslMode mode, QSslConfiguration configuration)
{
    // Only a server uses them, and QSslContext ends the program when there is no memory to decode
    // them.
    if (mode == QSslSocket::SslClientMode)
        configuration.setDiffieHellmanParameters({});
    QTlsBackend::clearPeerCertificates(configuration);
    configuration.setSessionTicket({});
    configuration.setAllowedNextProtocols({});
    QSslConfigurationPrivate &d = writable(configuration);
    d.sslSessionTicketLifeTimeHint = -1;
    d.nextNegotiatedProtocol.clear();
    d.nextProtocolNegotiationStatus = QSslConfiguration::NextProtocolNegotiationNone;
    return configuration;
}

struct Entry {
    QSslSocket::SslMode mode;
    QSslConfiguration original; // recognised without a comparison when an application uses it again
    QSslConfiguration shared;
    bool rootsOnDemand;
    std::weak_ptr<SharedContext> context;
    std::shared_ptr<SharedContext>
        kept; // null unless tickets have to be good for later connections
    QDeadlineTimer keptUntil;
};

// Whoever reads a ticket key can decrypt the sessions resumed with it: it is not kept for long.
constexpr auto ticketKeyLifetime = std::chrono::hours(1);

// Few applications use more than a handful of configurations; beyond that, the oldest are made anew
// when needed.
constexpr qsizetype maximumEntries = 32;

// A chain, and the next peer's.
constexpr qsizetype maximumCertificates = 8;

struct Cache {
    QMutex mutex;
    QList<Entry> entries; // the most recently used first
};

Q_GLOBAL_STATIC(Cache, cache)

// The same side and roots, and for the rest the same data or equal data.
bool isSame(const Entry &entry, const Entry &wanted)
{
    return entry.mode == wanted.mode && entry.rootsOnDemand == wanted.rootsOnDemand
        && identityOf(entry.original) == identityOf(wanted.original);
}

bool isEqual(const Entry &entry, const Entry &wanted)
{
    return entry.mode == wanted.mode && entry.rootsOnDemand == wanted.rootsOnDemand
        && entry.shared == wanted.shared;
}

// The context of an entry like `wanted` that is still in use. `wanted` learns its shared part on
// the way. To be called with the cache locked.
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
    return (*context).*pointerTo(ContextMember());
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
    // Made unlocked, for it takes its time. Two threads may make the same; then it is there twice.
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
    // Made unlocked: with many certificates it takes its time, and other threads want others.
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

void setNegotiatedProtocol(QSslConfiguration &configuration, const QByteArray &protocol)
{
    QSslConfigurationPrivate &d = writable(configuration);
    d.nextNegotiatedProtocol = protocol;
    d.nextProtocolNegotiationStatus = protocol.isEmpty()
        ? QSslConfiguration::NextProtocolNegotiationNone
        : QSslConfiguration::NextProtocolNegotiationNegotiated;
}

void setTicketLifetimeHint(QSslConfiguration &configuration, int seconds)
{
    writable(configuration).sslSessionTicketLifeTimeHint = seconds;
}

QByteArray alpnList(const QList<QByteArray> &protocols)
{
    QByteArray list;
    for (const QByteArray &protocol : protocols) {
        if (protocol.size() > 255)
            qCWarning(lcTlsBackend) << "ALPN:" << protocol << "is too long and left out";
        else if (!protocol.isEmpty())
            list += char(protocol.size()) + protocol;
    }
    return list;
}

} // namespace QdtlsRs

QT_END_NAMESPACE
