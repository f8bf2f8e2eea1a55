// SPDX-License-Identifier: MIT OR Apache-2.0

// The setup of a handshake: gives the application's settings to the Rust handle, and creates an SSL
// from its configuration.

#include "qdtlsrs_connection_p.h"

#include "qdtlsrs_context_p.h"

#include "qtlsbackend_openssl_p.h"

#include "../shared/qdtls_base_p.h"

#include <QtCore/qloggingcategory.h>
#include <QtCore/qurl.h>

#include <limits>

QT_BEGIN_NAMESPACE

using namespace QdtlsRs;

// Sets the server name, or none if Rust refuses the name: a verification name need not be a host
// name.
static bool setServerName(qdtls_connection *handle, const QByteArray &name)
{
    return qdtls_connection_set_server_name(handle, bytesOf(name), sizeOf(name)) == QDTLS_STATUS_OK
        || qdtls_connection_set_server_name(handle, nullptr, 0) == QDTLS_STATUS_OK;
}

// Protocol names in the wire form of RFC 7301. Leaves out names that do not fit, with a warning, as
// Qt does.
static QByteArray alpnList(const QList<QByteArray> &protocols)
{
    QByteArray list;
    qsizetype tooLong = 0;
    for (const QByteArray &protocol : protocols) {
        if (protocol.size() > 255)
            ++tooLong;
        else if (!protocol.isEmpty())
            list += char(protocol.size()) + protocol;
    }
    if (tooLong > 0)
        qCWarning(lcTlsBackend) << "ALPN:" << tooLong << "names are too long and left out";
    return list;
}

bool QdtlsRsConnection::configure(QUdpSocket *socket)
{
    const qdtls_address peer = addressFrom(transport->peerAddress(), transport->peerPort());
    const bool sendsName =
        !dtlsConfiguration().testSslOption(QSsl::SslOptionDisableServerNameIndication);
    const QByteArray name = sendsName ? QUrl::toAce(expectedPeerName()) : QByteArray();
    const QByteArray alpn = alpnList(dtlsConfiguration().allowedNextProtocols());
    const bool demandsCookie =
        mode == QSslSocket::SslServerMode && dtlsConfiguration().dtlsCookieVerificationEnabled();

    qdtls_connection *handle = connection.get();
    const bool accepted = qdtls_connection_set_peer(handle, &peer) == QDTLS_STATUS_OK
        && qdtls_connection_set_mtu_hint(handle, mtuFor(*socket)) == QDTLS_STATUS_OK
        && setServerName(handle, name)
        && qdtls_connection_set_alpn(handle, bytesOf(alpn), sizeOf(alpn)) == QDTLS_STATUS_OK
        && qdtls_connection_set_resumption(handle, resumable, nullptr, 0) == QDTLS_STATUS_OK
        && qdtls_connection_set_cookie(handle, demandsCookie ? cookie.handle() : nullptr)
            == QDTLS_STATUS_OK;
    if (!accepted)
        reportLast();
    return accepted;
}

// The application's hint, or the system's path MTU of a connected socket; 0 for neither.
uint16_t QdtlsRsConnection::mtuFor(QUdpSocket &socket) const
{
    if (mtuHint || socket.state() != QAbstractSocket::ConnectedState)
        return mtuHint;
    const int mtu = socket.socketOption(QAbstractSocket::PathMtuSocketOption).toInt();
    return uint16_t(qBound(0, mtu, int(std::numeric_limits<uint16_t>::max())));
}

bool QdtlsRsConnection::mayResume() const
{
    const bool wanted = !dtlsConfiguration().testSslOption(QSsl::SslOptionDisableSessionPersistence)
        && !dtlsConfiguration().testSslOption(QSsl::SslOptionDisableSessionTickets);
    const auto chain = dtlsConfiguration().localCertificateChain();
    const bool hasCertificate = !chain.isEmpty() && !chain.constFirst().isNull();
    bool allowed = false;
    qdtls_connection_may_resume(connection.get(), wanted, mustVerifyPeer(), hasCertificate,
                                &allowed);
    return allowed;
}

bool QdtlsRsConnection::mustVerifyPeer() const
{
    const auto verifyMode = dtlsConfiguration().peerVerifyMode();
    return verifyMode == QSslSocket::VerifyPeer
        || (verifyMode == QSslSocket::AutoVerifyPeer && mode == QSslSocket::SslClientMode);
}

// The name that the application has set, or the one to which it has connected its socket.
QString QdtlsRsConnection::expectedPeerName() const
{
    if (!peerVfyName.isEmpty() || !transport->socket)
        return peerVfyName;
    return transport->socket->peerName();
}

// Creates an SSL of a shared context and hands both to Rust.
bool QdtlsRsConnection::initTls()
{
    if (!hasDtlsModeAndProtocol())
        return false;
    const auto context = findContext();
    if (!context)
        return false;
    if (resumable && mode == QSslSocket::SslClientMode)
        context->offerSession(connection.get(), dtlsConfiguration().sessionTicket());
    using Context = std::shared_ptr<SharedContext>;
    auto owner = std::make_unique<Context>(context);
    SSL *ssl = nullptr;
    if (qdtls_context_new_ssl(context->handle(), &ssl) != QDTLS_STATUS_OK) {
        qdtls_error error = noError();
        qdtls_last_error(&error);
        report(error);
        return false;
    }
    const auto release = [](void *owner) { delete static_cast<Context *>(owner); };
    const auto status = qdtls_connection_init_tls(connection.get(), ssl, owner.release(), release);
    if (status != QDTLS_STATUS_OK)
        reportLast();
    usedContext = context;
    return status == QDTLS_STATUS_OK;
}

bool QdtlsRsConnection::hasDtlsModeAndProtocol()
{
    QString text;
    if (mode == QSslSocket::UnencryptedMode)
        text = QDtls::tr("Invalid SslMode, SslServerMode or SslClientMode expected");
    else if (!QDtlsBasePrivate::isDtlsProtocol(dtlsConfiguration().protocol()))
        text = QDtls::tr("Invalid protocol version, DTLS protocol expected");
    else
        return true;
    setDtlsError(QDtlsError::TlsInitializationError, text);
    return false;
}

std::shared_ptr<SharedContext> QdtlsRsConnection::findContext()
{
    QString error;
    const bool issuesTickets = mode == QSslSocket::SslServerMode && resumable;
    auto context = SharedContext::find(mode, dtlsConfiguration(), issuesTickets, &error);
    if (!context)
        setDtlsError(QDtlsError::TlsInitializationError, error);
    return context;
}

QT_END_NAMESPACE
