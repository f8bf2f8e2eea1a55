// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_context_p.h"

#include "qdtlsrs_context_cache_p.h"
#include "qdtlsrs_peer_name_p.h"
#include "qdtlsrs_private_access_p.h"
#include "qdtlsrs_transport_p.h"

#include "qtlsbackend_openssl_p.h"
#include "qx509_openssl_p.h"

#include <QtNetwork/private/qsslcertificate_p.h>
#include <QtNetwork/private/qtlsbackend_p.h>

#include <optional>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

// Without it OpenSSL looks for the issuers of its own certificate in each handshake, and asks the
// file system for them in each of the system's folders of CA certificates.
void findIssuersOnce(SSL_CTX *context, const QSslConfiguration &configuration)
{
    // The application's own issuers, if it has given some, are all that is sent.
    if (configuration.localCertificateChain().size() != 1)
        return;
    constexpr long likeHandshake = SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR;
    // Where it fails, handshakes look for them as before.
    q_SSL_CTX_ctrl(context, SSL_CTRL_BUILD_CERT_CHAIN, likeHandshake, nullptr);
    QTlsBackendOpenSSL::clearErrorQueue();
}

std::shared_ptr<SharedContext> make(const ContextKey &wanted, QString *error)
{
    QSslConfiguration whole = wanted.shared;
    whole.setPrivateKey(wanted.original.privateKey());
    const auto made =
        QSslContext::sharedFromConfiguration(wanted.mode, whole, wanted.rootsOnDemand);
    if (made->error() != QSslError::NoError) {
        *error = made->errorString();
        return {};
    }
    auto context = std::make_shared<SharedContext>(made);
    if (qdtls_context_prepare(context->handle()) != QDTLS_STATUS_OK) {
        qdtls_error failure = {};
        failure.size = sizeof failure;
        qdtls_last_error(&failure);
        *error = QString::fromUtf8(failure.reason);
        return {};
    }
    findIssuersOnce(context->handle(), wanted.shared);
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
    const auto isSame = [x509](const KnownCertificate &known) {
        return q_X509_cmp(reinterpret_cast<X509 *>(known.certificate.handle()), x509) == 0;
    };
    const auto make = [x509]() -> std::optional<KnownCertificate> {
        const auto made = QTlsPrivate::X509CertificateOpenSSL::certificateFromX509(x509);
        if (!made.handle())
            return {};
        return KnownCertificate { made, QSslCertificatePrivate::isBlacklisted(made) };
    };
    const auto found = certificates.find(isSame, make);
    return found ? found->certificate : QSslCertificate();
}

bool SharedContext::isBlacklisted(const QSslCertificate &certificate)
{
    const auto isSame = [&](const KnownCertificate &known) {
        return known.certificate == certificate;
    };
    const auto make = [&] {
        return std::optional(
            KnownCertificate { certificate, QSslCertificatePrivate::isBlacklisted(certificate) });
    };
    return certificates.find(isSame, make)->isBlacklisted;
}

bool SharedContext::isNamed(const QSslCertificate &certificate, const QString &expected)
{
    const auto isSame = [&](const KnownName &known) {
        return known.name == expected && known.certificate == certificate;
    };
    const auto make = [&]() -> std::optional<KnownName> {
        if (!QdtlsRs::isNamed(certificate, expected))
            return {};
        return KnownName { certificate, expected };
    };
    return names.find(isSame, make).has_value();
}

QSslCipher SharedContext::cipherFrom(const SSL_CIPHER *cipher)
{
    if (!cipher)
        return {};
    const auto isSame = [&](const KnownCipher &known) { return known.native == cipher; };
    const auto make = [&] {
        return std::optional(
            KnownCipher { cipher, QTlsBackendOpenSSL::qt_OpenSSL_cipher_to_QSslCipher(cipher) });
    };
    return ciphers.find(isSame, make)->cipher;
}

void SharedContext::offerSession(qdtls_connection *connection, const QByteArray &ticket)
{
    if (ticket.isEmpty())
        return;
    const auto isSame = [&](const KnownSession &known) { return known.ticket == ticket; };
    const auto make = [&]() -> std::optional<KnownSession> {
        qdtls_session *session = nullptr;
        if (qdtls_session_decode(bytesOf(ticket), sizeOf(ticket), &session) != QDTLS_STATUS_OK)
            return {};
        return KnownSession { ticket, { session, qdtls_session_free } };
    };
    // Without a session the handshake is a full one.
    if (const auto found = sessions.find(isSame, make))
        qdtls_connection_offer_session(connection, found->session.get());
}

std::shared_ptr<SharedContext> SharedContext::find(QSslSocket::SslMode mode,
                                                   const QSslConfiguration &configuration,
                                                   bool issuesTickets, QString *error)
{
    // The shared part is filled in where it is needed. Qt's default configuration, in its place,
    // would decode Diffie-Hellman parameters each time.
    ContextKey wanted { mode, QTlsBackend::rootLoadingOnDemandAllowed(configuration), configuration,
                        configuration };
    if (auto known = ContextCache::find(wanted))
        return known;
    // Made unlocked: many certificates take long, and other threads want other contexts.
    auto made = make(wanted, error);
    return made ? ContextCache::add(wanted, std::move(made), issuesTickets) : nullptr;
}

} // namespace QdtlsRs

QT_END_NAMESPACE
