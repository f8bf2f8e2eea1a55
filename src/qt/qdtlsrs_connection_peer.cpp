// SPDX-License-Identifier: MIT OR Apache-2.0

// The results of a handshake, in Qt's terms: the peer's certificates and the errors in them,
// negotiated parameters, the session ticket.

#include "qdtlsrs_connection_p.h"

#include "qdtlsrs_context_p.h"
#include "qdtlsrs_peer_name_p.h"
#include "qdtlsrs_private_access_p.h"

#include "qtlsbackend_openssl_p.h"
#include "qx509_openssl_p.h"

#include <QtNetwork/private/qsslcertificate_p.h>

#include <QtCore/qscopeguard.h>
#include <QtCore/qvarlengtharray.h>

#include <algorithm>
#include <limits>
#include <vector>

QT_BEGIN_NAMESPACE

using namespace QdtlsRs;

bool QdtlsRsConnection::judgePeer()
{
    storePeerCertificates();
    fetchNegotiatedParameters();
    peerErrors = mustVerifyPeer() ? findPeerErrors() : QList<QSslError>();
    const bool accepted = peerErrors.isEmpty() || peerErrorsAreIgnored();
    qdtls_connection_judge_peer(connection.get(), accepted);
    // A session with errors would carry them into a handshake that cannot name all of them.
    if (peerErrors.isEmpty())
        keepSession();
    if (!accepted)
        setDtlsError(QDtlsError::PeerVerificationError, QDtls::tr("Peer verification failed"));
    return accepted;
}

bool QdtlsRsConnection::peerErrorsAreIgnored() const
{
    const auto isIgnored = [this](const QSslError &error) { return ignoredErrors.contains(error); };
    return !ignoredErrors.isEmpty()
        && std::all_of(peerErrors.cbegin(), peerErrors.cend(), isIgnored);
}

// Checks Qt's list of certificates not to be trusted and the peer's name, and adds the errors that
// OpenSSL found in the chain.
QList<QSslError> QdtlsRsConnection::findPeerErrors() const
{
    QList<QSslError> errors;
    const auto chain = dtlsConfiguration().peerCertificateChain();
    const auto context = usedContext.lock();
    for (const QSslCertificate &certificate : chain) {
        if (context ? context->isBlacklisted(certificate)
                    : QSslCertificatePrivate::isBlacklisted(certificate))
            errors << QSslError(QSslError::CertificateBlacklisted, certificate);
    }

    const auto certificate = dtlsConfiguration().peerCertificate();
    if (certificate.isNull()) {
        errors << QSslError(QSslError::NoPeerCertificate);
    } else if (mode == QSslSocket::SslClientMode) {
        // A peer without a name is expected to have a certificate for its address.
        const QString name = expectedPeerName();
        const QString expected = name.isEmpty() ? peerAddress().toString() : name;
        if (!(context ? context->isNamed(certificate, expected)
                      : QdtlsRs::isNamed(certificate, expected)))
            errors << QSslError(QSslError::HostNameMismatch, certificate);
    }

    for (const qdtls_verify_error &error : findChainErrors()) {
        errors << QTlsPrivate::X509CertificateOpenSSL::openSSLErrorToQSslError(
            error.code, chain.value(error.depth));
    }
    return errors;
}

std::vector<qdtls_verify_error> QdtlsRsConnection::findChainErrors() const
{
    // More errors than any real chain has.
    constexpr size_t enough = 32;
    std::vector<qdtls_verify_error> found(enough);
    size_t count = 0;
    qdtls_connection_verify_errors(connection.get(), found.data(), found.size(), &count);
    found.resize(count);
    if (count > enough)
        qdtls_connection_verify_errors(connection.get(), found.data(), found.size(), &count);
    return found;
}

void QdtlsRsConnection::storePeerCertificates()
{
    X509 *x509 = nullptr;
    struct stack_st_X509 *stack = nullptr;
    if (qdtls_connection_peer_certificate(connection.get(), &x509) != QDTLS_STATUS_OK
        || qdtls_connection_peer_chain(connection.get(), &stack) != QDTLS_STATUS_OK) {
        return;
    }
    const auto context = usedContext.lock();
    if (!context || !x509)
        return;
    const QSslCertificate certificate = context->certificateFrom(x509);
    QList<QSslCertificate> chain;
    for (int i = 0; stack && i < q_sk_X509_num(stack); ++i)
        chain << context->certificateFrom(q_sk_X509_value(stack, i));
    if (certificate.isNull())
        return;
    // OpenSSL gives a server the chain without the client's own certificate, and none at all after
    // a resumption.
    if (mode == QSslSocket::SslServerMode || chain.isEmpty())
        chain.prepend(certificate);
    QTlsBackend::storePeerCertificate(dtlsConfiguration(), certificate);
    QTlsBackend::storePeerCertificateChain(dtlsConfiguration(), chain);
}

// Leaves a configuration without certificates alone: a write would end the sharing of its data, by
// which its context is found again at once.
void QdtlsRsConnection::clearPeerCertificates()
{
    if (!dtlsConfiguration().peerCertificate().isNull()
        || !dtlsConfiguration().peerCertificateChain().isEmpty())
        QTlsBackend::clearPeerCertificates(dtlsConfiguration());
}

static QSsl::SslProtocol sslProtocol(int32_t protocol)
{
    switch (protocol) {
        QT_WARNING_PUSH
        QT_WARNING_DISABLE_DEPRECATED
    case QDTLS_PROTOCOL_DTLS1_0:
        return QSsl::DtlsV1_0;
        QT_WARNING_POP
    case QDTLS_PROTOCOL_DTLS1_2:
        return QSsl::DtlsV1_2;
    default:
        return QSsl::UnknownProtocol;
    }
}

void QdtlsRsConnection::fetchNegotiatedParameters()
{
    qdtls_connection_cipher(connection.get(), &sessionCipher);

    int32_t protocol = QDTLS_PROTOCOL_UNKNOWN;
    qdtls_connection_protocol(connection.get(), &protocol);
    sessionProtocol = sslProtocol(protocol);

    const uint8_t *name = nullptr;
    size_t length = 0;
    qdtls_connection_alpn(connection.get(), &name, &length);
    const QByteArray negotiated(reinterpret_cast<const char *>(name), qsizetype(length));
    if (negotiated != dtlsConfiguration().nextNegotiatedProtocol())
        setNegotiatedProtocol(dtlsConfiguration(), negotiated);
}

QSslCipher QdtlsRsConnection::dtlsSessionCipher() const
{
    const auto context = usedContext.lock();
    return context ? context->cipherFrom(sessionCipher) : QSslCipher();
}

void QdtlsRsConnection::keepSession()
{
    qdtls_session *kept = nullptr;
    if (mode == QSslSocket::SslClientMode && resumable)
        qdtls_connection_keep_session(connection.get(), &kept);
    session.reset(kept);
}

// The ticket is encoded when the application first asks for the configuration of which it is a
// part: a copy of that would not ask for the ticket alone.
QSslConfiguration QdtlsRsConnection::configuration() const
{
    // No QdtlsRsConnection is constant.
    const_cast<QdtlsRsConnection *>(this)->storeSessionTicket();
    return QdtlsRsBase::configuration();
}

void QdtlsRsConnection::setConfiguration(const QSslConfiguration &configuration)
{
    session.reset();
    QdtlsRsBase::setConfiguration(configuration);
}

// Without memory there is no ticket.
void QdtlsRsConnection::storeSessionTicket()
{
    if (const auto ended = std::move(session))
        (void)hasMemoryFor([&] { storeTicketOf(ended.get()); });
}

void QdtlsRsConnection::storeTicketOf(const qdtls_session *ended)
{
    // Tickets of some servers contain certificates.
    constexpr qsizetype usual = 1 << 12, longest = 1 << 18;
    QVarLengthArray<uint8_t, usual> asn1;
    size_t length = 0;
    uint64_t lifetimeHint = 0;
    qdtls_status status = QDTLS_STATUS_BUFFER_TOO_SMALL;
    for (qsizetype size = usual; status == QDTLS_STATUS_BUFFER_TOO_SMALL && size <= longest;
         size *= 8) {
        asn1.resize(size);
        status =
            qdtls_session_encode(ended, asn1.data(), size_t(asn1.size()), &length, &lifetimeHint);
    }
    if (status != QDTLS_STATUS_OK)
        return;
    const auto wipe = qScopeGuard([&] { qdtls_wipe(asn1.data(), length); });
    const auto hint = int(std::min<uint64_t>(lifetimeHint, std::numeric_limits<int>::max()));
    // What is equal stays, and the data of the configuration shared.
    const QByteArray ticket(reinterpret_cast<const char *>(asn1.constData()), qsizetype(length));
    if (ticket != dtlsConfiguration().sessionTicket())
        dtlsConfiguration().setSessionTicket(ticket);
    if (hint != dtlsConfiguration().sessionTicketLifeTimeHint())
        setTicketLifetimeHint(dtlsConfiguration(), hint);
}

QT_END_NAMESPACE
