// SPDX-License-Identifier: MIT OR Apache-2.0

// Converts between Qt and the Rust core; what is decided is decided there. What is Qt's stays here:
// the context of QSslContext, certificates, host names, signals, the timer.

#include "qdtls_openssl_p.h"

#include "qdtlsrs_context_p.h"
#include "qx509_openssl_p.h"

#include <QtNetwork/private/qsslcertificate_p.h>

#include <QtNetwork/qudpsocket.h>

#include <QtCore/qcoreevent.h>
#include <QtCore/qurl.h>

#include <algorithm>
#include <limits>
#include <vector>

QT_BEGIN_NAMESPACE

using namespace QdtlsRs;

static_assert(QDTLS_STATE_NOT_STARTED == int(QDtls::HandshakeNotStarted)
              && QDTLS_STATE_IN_PROGRESS == int(QDtls::HandshakeInProgress)
              && QDTLS_STATE_PEER_VERIFICATION_FAILED == int(QDtls::PeerVerificationFailed)
              && QDTLS_STATE_COMPLETE == int(QDtls::HandshakeComplete));
QdtlsRsConnection::QdtlsRsConnection(QDtls *qObject, QSslSocket::SslMode mode)
    : QdtlsRsBase(mode)
    , q(qObject)
    , transport(std::make_shared<Transport>())
{
    transport->connection = this;
    const qdtls_callbacks callbacks = Transport::callbacksFor(transport);
    const bool server = mode == QSslSocket::SslServerMode;
    qdtls_connection *handle = nullptr;
    qdtls_connection_new(server ? QDTLS_ROLE_SERVER : QDTLS_ROLE_CLIENT, &callbacks, &handle);
    connection.reset(handle);
}

QdtlsRsConnection::~QdtlsRsConnection()
{
    transport->connection = nullptr;
    transport->ownerGone = true;
}

void QdtlsRsConnection::setPeer(const QHostAddress &addr, quint16 port, const QString &name)
{
    remoteAddress = addr;
    remotePort = port;
    peerVfyName = name;
}

QDtls::HandshakeState QdtlsRsConnection::state() const
{
    int32_t state = QDTLS_STATE_NOT_STARTED;
    qdtls_connection_state(connection.get(), &state);
    return QDtls::HandshakeState(state);
}

bool QdtlsRsConnection::isConnectionEncrypted() const
{
    return state() == QDtls::HandshakeComplete;
}

bool QdtlsRsConnection::startHandshake(QUdpSocket *socket, const QByteArray &dgram)
{
    clearDtlsError();
    const auto kept = transport;
    const auto inUse = kept->use(socket);
    if (!libraryIsUsable())
        return false;
    qdtls_connection_reset(connection.get());
    peerErrors.clear();
    clearPeerCertificates();
    if (!configure(socket) || !initTls())
        return false;

    int32_t need = QDTLS_NEED_DATAGRAM;
    const auto status =
        qdtls_connection_start(connection.get(), bytesOf(dgram), sizeOf(dgram), &need);
    return !kept->ownerGone && finishStep(status, need);
}

bool QdtlsRsConnection::continueHandshake(QUdpSocket *socket, const QByteArray &dgram)
{
    clearDtlsError();
    const auto kept = transport;
    const auto inUse = kept->use(socket);
    int32_t need = QDTLS_NEED_DATAGRAM;
    const auto status =
        qdtls_connection_continue(connection.get(), bytesOf(dgram), sizeOf(dgram), &need);
    return !kept->ownerGone && finishStep(status, need);
}

bool QdtlsRsConnection::handleTimeout(QUdpSocket *socket)
{
    clearDtlsError();
    const auto kept = transport;
    const auto inUse = kept->use(socket);
    bool retransmitted = false;
    const auto status = qdtls_connection_handle_timeout(connection.get(), &retransmitted);
    return !kept->ownerGone && finishStep(status, QDTLS_NEED_DATAGRAM);
}

// Hands Rust what the application has set.
bool QdtlsRsConnection::configure(QUdpSocket *socket)
{
    transport->address = remoteAddress;
    transport->port = remotePort;
    const qdtls_address peer = addressFrom(remoteAddress, remotePort);

    int mtu = mtuHint;
    if (!mtu && socket->state() == QAbstractSocket::ConnectedState)
        mtu = socket->socketOption(QAbstractSocket::PathMtuSocketOption).toInt();
    mtu = qBound(0, mtu, int(std::numeric_limits<quint16>::max()));

    const QString name = expectedPeerName();
    const QByteArray serverName =
        QHostAddress().setAddress(name) ? QByteArray() : QUrl::toAce(name);
    const QByteArray alpn = alpnList(dtlsConfiguration.allowedNextProtocols());
    const QByteArray ticket = dtlsConfiguration.sessionTicket();
    const bool demandsCookie =
        mode == QSslSocket::SslServerMode && dtlsConfiguration.dtlsCookieVerificationEnabled();

    qdtls_connection *handle = connection.get();
    const bool accepted = qdtls_connection_set_peer(handle, &peer) == QDTLS_STATUS_OK
        && qdtls_connection_set_mtu_hint(handle, uint16_t(mtu)) == QDTLS_STATUS_OK
        && qdtls_connection_set_server_name(handle, bytesOf(serverName), sizeOf(serverName))
            == QDTLS_STATUS_OK
        && qdtls_connection_set_alpn(handle, bytesOf(alpn), sizeOf(alpn)) == QDTLS_STATUS_OK
        && qdtls_connection_set_resumption(handle, mayResume(), bytesOf(ticket), sizeOf(ticket))
            == QDTLS_STATUS_OK
        && qdtls_connection_set_cookie(handle, demandsCookie ? cookie.handle() : nullptr)
            == QDTLS_STATUS_OK;
    if (!accepted)
        reportLast();
    return accepted;
}

// Has Rust make an SSL of a shared context, which Rust keeps for as long.
bool QdtlsRsConnection::initTls()
{
    if (mode == QSslSocket::UnencryptedMode) {
        setDtlsError(QDtlsError::TlsInitializationError,
                     QDtls::tr("Invalid SslMode, SslServerMode or SslClientMode expected"));
        return false;
    }
    if (!isDtlsProtocol(dtlsConfiguration.protocol())) {
        setDtlsError(QDtlsError::TlsInitializationError,
                     QDtls::tr("Invalid protocol version, DTLS protocol expected"));
        return false;
    }

    using Context = std::shared_ptr<SharedContext>;
    QString contextError;
    const bool ticketsOutliveConnections = mode == QSslSocket::SslServerMode && mayResume();
    const Context context =
        SharedContext::find(mode, dtlsConfiguration, ticketsOutliveConnections, &contextError);
    if (!context) {
        setDtlsError(QDtlsError::TlsInitializationError, contextError);
        return false;
    }
    SSL *ssl = nullptr;
    if (qdtls_context_new_ssl(context->handle(), &ssl) != QDTLS_STATUS_OK) {
        qdtls_error error = {};
        qdtls_last_error(&error);
        report(error);
        return false;
    }
    const auto release = [](void *owner) {
        delete static_cast<Context *>(owner);
        SharedContext::forgetUnused();
    };
    const auto status =
        qdtls_connection_init_tls(connection.get(), ssl, new Context(context), release);
    if (status != QDTLS_STATUS_OK)
        reportLast();
    usedContext = context;
    return status == QDTLS_STATUS_OK;
}

bool QdtlsRsConnection::mayResume() const
{
    const bool wanted = !dtlsConfiguration.testSslOption(QSsl::SslOptionDisableSessionPersistence)
        && !dtlsConfiguration.testSslOption(QSsl::SslOptionDisableSessionTickets);
    bool allowed = false;
    qdtls_connection_may_resume(connection.get(), wanted, mustVerifyPeer(),
                                !dtlsConfiguration.localCertificate().isNull(), &allowed);
    return allowed;
}

// What follows each call of Rust's that moves a handshake on.
bool QdtlsRsConnection::finishStep(qdtls_status status, int32_t need)
{
    if (status == QDTLS_STATUS_OK && need == QDTLS_NEED_VERDICT) {
        const bool accepted = judgePeer();
        updateTimer();
        return accepted;
    }
    if (status != QDTLS_STATUS_OK) {
        reportLast();
        if (state() == QDtls::HandshakeNotStarted && status != QDTLS_STATUS_ABORTED) {
            storePeerCertificates();
            qdtls_connection_reset(connection.get());
        }
    }
    updateTimer();
    return status == QDTLS_STATUS_OK;
}

bool QdtlsRsConnection::judgePeer()
{
    storePeerCertificates();
    fetchNegotiatedParameters();
    peerErrors = mustVerifyPeer() ? findPeerErrors() : QList<QSslError>();
    const bool accepted = peerErrors.isEmpty() || peerErrorsAreIgnored();
    qdtls_connection_judge_peer(connection.get(), accepted);
    if (peerErrors.isEmpty())
        storeSessionTicket(); // one with errors would carry them into a handshake that cannot name
                              // them all
    if (!accepted)
        setDtlsError(QDtlsError::PeerVerificationError, QDtls::tr("Peer verification failed"));
    return accepted;
}

bool QdtlsRsConnection::resumeHandshake(QUdpSocket *)
{
    clearDtlsError();
    if (!peerErrorsAreIgnored())
        return false;
    if (qdtls_connection_judge_peer(connection.get(), true) != QDTLS_STATUS_OK) {
        reportLast();
        return false;
    }
    peerErrors.clear();
    ignoredErrors.clear();
    return true;
}

void QdtlsRsConnection::abortHandshake(QUdpSocket *socket)
{
    clearDtlsError();
    const auto kept = transport;
    const auto inUse = kept->use(socket);
    qdtls_connection_abort(connection.get());
    if (!kept->ownerGone)
        forgetPeer();
}

void QdtlsRsConnection::sendShutdownAlert(QUdpSocket *socket)
{
    clearDtlsError();
    const auto kept = transport;
    const auto inUse = kept->use(socket);
    qdtls_connection_shutdown(connection.get());
    if (!kept->ownerGone)
        forgetPeer();
}

void QdtlsRsConnection::ignoreVerificationErrors(const QList<QSslError> &errors)
{
    ignoredErrors = errors;
}

qint64 QdtlsRsConnection::writeDatagramEncrypted(QUdpSocket *socket, const QByteArray &dgram)
{
    clearDtlsError();
    const auto kept = transport;
    const auto inUse = kept->use(socket);
    size_t written = 0;
    const auto status =
        qdtls_connection_write(connection.get(), bytesOf(dgram), sizeOf(dgram), &written);
    if (status == QDTLS_STATUS_OK)
        return qint64(written);
    if (!kept->ownerGone) {
        reportLast();
        forgetSession();
    }
    return -1;
}

QByteArray QdtlsRsConnection::decryptDatagram(QUdpSocket *socket, const QByteArray &dgram)
{
    clearDtlsError();
    const auto kept = transport;
    const auto inUse = kept->use(socket);
    QByteArray plaintext(dgram.size(), Qt::Uninitialized);
    size_t length = 0;
    int32_t end = QDTLS_STATUS_OK;
    const auto readInto = [&](char *buffer, size_t capacity) {
        return qdtls_connection_read(connection.get(), bytesOf(dgram), sizeOf(dgram),
                                     reinterpret_cast<uint8_t *>(buffer), capacity, &length, &end);
    };
    auto status = readInto(plaintext.data(), sizeOf(plaintext));
    const bool cameEarly = status == QDTLS_STATUS_BUFFER_TOO_SMALL;
    if (cameEarly) {
        size_t capacity = 0;
        qdtls_connection_read_capacity(connection.get(), sizeOf(dgram), &capacity);
        plaintext.resize(qsizetype(capacity));
        status = readInto(plaintext.data(), capacity);
    }
    plaintext.truncate(qsizetype(length));
    // Room for what came early in a handshake is given back: anyone can make it large.
    if (cameEarly)
        plaintext.squeeze();
    if (!kept->ownerGone && (status != QDTLS_STATUS_OK || end != QDTLS_STATUS_OK)) {
        reportLast();
        forgetSession();
    }
    return plaintext;
}

void QdtlsRsConnection::emitPskRequired(QSslPreSharedKeyAuthenticator *authenticator)
{
    emit q->pskRequired(authenticator);
}

void QdtlsRsConnection::Timer::timerEvent(QTimerEvent *event)
{
    if (event->timerId() != timer.timerId())
        return;
    timer.stop();
    // Nothing may follow: the slot may delete the QDtls, and this timer with it.
    emit connection->q->handshakeTimeout();
}

// The timer is OpenSSL's; ours tells the application when it has run out.
void QdtlsRsConnection::updateTimer()
{
    bool running = false;
    uint64_t microseconds = 0;
    qdtls_connection_timeout(connection.get(), &running, &microseconds);
    if (!running) {
        if (timer)
            timer->timer.stop();
        return;
    }
    if (!timer)
        timer = std::make_unique<Timer>(this);
    // Rounded up: never early.
    const uint64_t milliseconds = (microseconds + 999) / 1000;
    const auto interval = int(std::min<uint64_t>(milliseconds, std::numeric_limits<int>::max()));
    timer->timer.start(interval, Qt::PreciseTimer, timer.get());
}

bool QdtlsRsConnection::mustVerifyPeer() const
{
    const auto verifyMode = dtlsConfiguration.peerVerifyMode();
    return verifyMode == QSslSocket::VerifyPeer
        || (verifyMode == QSslSocket::AutoVerifyPeer && mode == QSslSocket::SslClientMode);
}

bool QdtlsRsConnection::peerErrorsAreIgnored() const
{
    const auto isIgnored = [this](const QSslError &error) { return ignoredErrors.contains(error); };
    return !ignoredErrors.isEmpty()
        && std::all_of(peerErrors.cbegin(), peerErrors.cend(), isIgnored);
}

// Everything that speaks against the peer: the list Qt keeps of certificates not to be trusted, the
// name, and what OpenSSL found in the chain.
QList<QSslError> QdtlsRsConnection::findPeerErrors() const
{
    QList<QSslError> errors;
    const auto chain = dtlsConfiguration.peerCertificateChain();
    for (const QSslCertificate &certificate : chain) {
        if (QSslCertificatePrivate::isBlacklisted(certificate))
            errors << QSslError(QSslError::CertificateBlacklisted, certificate);
    }

    const auto certificate = dtlsConfiguration.peerCertificate();
    if (certificate.isNull()) {
        errors << QSslError(QSslError::NoPeerCertificate);
    } else if (mode == QSslSocket::SslClientMode) {
        // A peer known by its address alone is expected to have a certificate for the address.
        const QString name = expectedPeerName();
        const QString expected = name.isEmpty() ? remoteAddress.toString() : name;
        if (!QTlsPrivate::TlsCryptograph::isMatchingHostname(certificate, expected))
            errors << QSslError(QSslError::HostNameMismatch, certificate);
    }

    size_t count = 0;
    qdtls_connection_verify_errors(connection.get(), nullptr, 0, &count);
    std::vector<qdtls_verify_error> found(count);
    qdtls_connection_verify_errors(connection.get(), found.data(), found.size(), &count);
    for (const qdtls_verify_error &error : found) {
        errors << QTlsPrivate::X509CertificateOpenSSL::openSSLErrorToQSslError(
            error.code, chain.value(error.depth));
    }
    return errors;
}

// The name the application has given, or the one its socket is connected by.
QString QdtlsRsConnection::expectedPeerName() const
{
    if (!peerVfyName.isEmpty() || !transport->socket)
        return peerVfyName;
    return transport->socket->peerName();
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
    // OpenSSL gives a server the chain without the client's own certificate, and none at all when a
    // session is resumed.
    if (mode == QSslSocket::SslServerMode || chain.isEmpty())
        chain.prepend(certificate);
    QTlsBackend::storePeerCertificate(dtlsConfiguration, certificate);
    QTlsBackend::storePeerCertificateChain(dtlsConfiguration, chain);
}

void QdtlsRsConnection::fetchNegotiatedParameters()
{
    const SSL_CIPHER *cipher = nullptr;
    qdtls_connection_cipher(connection.get(), &cipher);
    sessionCipher =
        cipher ? QTlsBackendOpenSSL::qt_OpenSSL_cipher_to_QSslCipher(cipher) : QSslCipher();

    int32_t protocol = QDTLS_PROTOCOL_UNKNOWN;
    qdtls_connection_protocol(connection.get(), &protocol);
    switch (protocol) {
        QT_WARNING_PUSH
        QT_WARNING_DISABLE_DEPRECATED
    case QDTLS_PROTOCOL_DTLS1_0:
        sessionProtocol = QSsl::DtlsV1_0;
        break;
        QT_WARNING_POP
    case QDTLS_PROTOCOL_DTLS1_2:
        sessionProtocol = QSsl::DtlsV1_2;
        break;
    default:
        sessionProtocol = QSsl::UnknownProtocol;
    }

    const uint8_t *name = nullptr;
    size_t length = 0;
    qdtls_connection_alpn(connection.get(), &name, &length);
    const QByteArray negotiated(reinterpret_cast<const char *>(name), qsizetype(length));
    if (negotiated != dtlsConfiguration.nextNegotiatedProtocol())
        setNegotiatedProtocol(dtlsConfiguration, negotiated);
}

void QdtlsRsConnection::storeSessionTicket()
{
    if (mode != QSslSocket::SslClientMode || !mayResume())
        return;
    QByteArray session(1 << 17, Qt::Uninitialized);
    size_t length = 0;
    uint64_t lifetimeHint = 0;
    const auto status =
        qdtls_connection_session(connection.get(), reinterpret_cast<uint8_t *>(session.data()),
                                 sizeOf(session), &length, &lifetimeHint);
    if (status != QDTLS_STATUS_OK || length == 0)
        return;
    dtlsConfiguration.setSessionTicket(QByteArray(session.constData(), qsizetype(length)));
    setTicketLifetimeHint(dtlsConfiguration, int(std::min<uint64_t>(lifetimeHint, INT_MAX)));
    qdtls_wipe(reinterpret_cast<uint8_t *>(session.data()), length);
}

// There is a session cipher and protocol only while there is a connection; the peer's certificate
// can be asked for until the next handshake.
void QdtlsRsConnection::forgetSession()
{
    if (isConnectionEncrypted())
        return;
    sessionCipher = {};
    sessionProtocol = QSsl::UnknownProtocol;
}

// After an end that the application asked for.
void QdtlsRsConnection::forgetPeer()
{
    updateTimer();
    peerErrors.clear();
    ignoredErrors.clear();
    clearPeerCertificates();
    forgetSession();
}

// Left alone when there is nothing to clear: writing would end the sharing of the configuration's
// data, which is how the context it made is found again at once.
void QdtlsRsConnection::clearPeerCertificates()
{
    if (!dtlsConfiguration.peerCertificate().isNull()
        || !dtlsConfiguration.peerCertificateChain().isEmpty())
        QTlsBackend::clearPeerCertificates(dtlsConfiguration);
}

void QdtlsRsConnection::reportLast()
{
    qdtls_error error = {};
    qdtls_connection_last_error(connection.get(), &error);
    report(error, transport->socketError);
}

QT_END_NAMESPACE
