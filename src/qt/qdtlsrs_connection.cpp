// SPDX-License-Identifier: MIT OR Apache-2.0

// The steps of a handshake, data, and the end of a connection. Converts; Rust decides.

#include "qdtlsrs_connection_p.h"

#include "qdtlsrs_private_access_p.h"

QT_BEGIN_NAMESPACE

using namespace QdtlsRs;

static_assert(QDTLS_STATE_NOT_STARTED == int(QDtls::HandshakeNotStarted)
              && QDTLS_STATE_IN_PROGRESS == int(QDtls::HandshakeInProgress)
              && QDTLS_STATE_PEER_VERIFICATION_FAILED == int(QDtls::PeerVerificationFailed)
              && QDTLS_STATE_COMPLETE == int(QDtls::HandshakeComplete));

QdtlsRsConnection::QdtlsRsConnection(QDtls *qObject, QSslSocket::SslMode mode)
    : q(qObject)
    , mode(mode)
{
    transport->connection = this;
    const qdtls_callbacks callbacks = transport->callbacks();
    const auto role = mode == QSslSocket::SslServerMode ? QDTLS_ROLE_SERVER : QDTLS_ROLE_CLIENT;
    qdtls_connection *handle = nullptr;
    if (qdtls_connection_new(role, &callbacks, &handle) == QDTLS_STATUS_OK)
        transport->keep();
    connection.reset(handle);
}

QdtlsRsConnection::~QdtlsRsConnection()
{
    transport->connection = nullptr;
}

void QdtlsRsConnection::setPeer(const QHostAddress &addr, quint16 port, const QString &name)
{
    transport->setPeer(addr, port);
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
    return qdtls_connection_is_complete(connection.get());
}

QdtlsRsConnection::Step::Step(QdtlsRsConnection &connection, QUdpSocket *socket)
    : connection(connection)
    , update { connection, connection.timer.get() }
    , call(connection.enter(socket))
{
}

QdtlsRsConnection::Step::~Step()
{
    if (call.ownerIsGone())
        update.timer = nullptr;
}

QdtlsRsConnection::Step::TimerUpdate::~TimerUpdate()
{
    if (timer && !timer->update())
        connection.reportOutOfMemory(QDtlsError::TlsNonFatalError);
}

bool QdtlsRsConnection::startHandshake(QUdpSocket *socket, const QByteArray &dgram)
{
    const auto makeTimer = [this] {
        timer = std::make_unique<HandshakeTimer>(q, connection.get());
    };
    if (!timer && !hasMemoryFor(makeTimer)) {
        reportOutOfMemory(QDtlsError::TlsInitializationError);
        return false;
    }
    const Step step(*this, socket);
    return step.run([&] { return begin(socket, dgram, step); });
}

bool QdtlsRsConnection::begin(QUdpSocket *socket, const QByteArray &dgram, const Step &step)
{
    if (!libraryIsUsable())
        return false;
    qdtls_connection_reset(connection.get());
    peerErrors = {};
    storeSessionTicket();
    clearPeerCertificates();
    resumable = mayResume();
    if (!configure(socket) || !initTls())
        return false;

    int32_t need = QDTLS_NEED_DATAGRAM;
    const auto status =
        qdtls_connection_start(connection.get(), bytesOf(dgram), sizeOf(dgram), &need);
    return !step.ownerIsGone() && finishStep(status, need);
}

bool QdtlsRsConnection::continueHandshake(QUdpSocket *socket, const QByteArray &dgram)
{
    const Step step(*this, socket);
    return step.run([&] {
        int32_t need = QDTLS_NEED_DATAGRAM;
        const auto status =
            qdtls_connection_continue(connection.get(), bytesOf(dgram), sizeOf(dgram), &need);
        return !step.ownerIsGone() && finishStep(status, need);
    });
}

bool QdtlsRsConnection::handleTimeout(QUdpSocket *socket)
{
    const Step step(*this, socket);
    return step.run([&] {
        bool retransmitted = false;
        const auto status = qdtls_connection_handle_timeout(connection.get(), &retransmitted);
        return !step.ownerIsGone() && finishStep(status, QDTLS_NEED_DATAGRAM);
    });
}

void QdtlsRsConnection::endForWantOfMemory()
{
    qdtls_connection_reset(connection.get());
    reportOutOfMemory(QDtlsError::TlsFatalError);
}

// Evaluates a call that moves the handshake on.
bool QdtlsRsConnection::finishStep(qdtls_status status, int32_t need)
{
    bool succeeded = status == QDTLS_STATUS_OK;
    if (!succeeded)
        reportFailedStep(status);
    else if (need == QDTLS_NEED_VERDICT)
        succeeded = judgePeer();
    return succeeded;
}

void QdtlsRsConnection::reportFailedStep(qdtls_status status)
{
    reportLast();
    if (status == QDTLS_STATUS_ABORTED || state() != QDtls::HandshakeNotStarted)
        return;
    // The peer's certificates are available until the reset. The error counts for more.
    (void)hasMemoryFor([this] { storePeerCertificates(); });
    qdtls_connection_reset(connection.get());
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
    peerErrors = {};
    ignoredErrors = {};
    return true;
}

void QdtlsRsConnection::abortHandshake(QUdpSocket *socket)
{
    const Step step(*this, socket);
    qdtls_connection_abort(connection.get());
    if (!step.ownerIsGone())
        forgetPeer();
}

void QdtlsRsConnection::sendShutdownAlert(QUdpSocket *socket)
{
    const Step step(*this, socket);
    qdtls_connection_shutdown(connection.get());
    if (!step.ownerIsGone())
        forgetPeer();
}

void QdtlsRsConnection::ignoreVerificationErrors(const QList<QSslError> &errors)
{
    ignoredErrors = errors;
}

qint64 QdtlsRsConnection::writeDatagramEncrypted(QUdpSocket *socket, const QByteArray &dgram)
{
    const Call call = enter(socket);
    size_t written = 0;
    const auto status =
        qdtls_connection_write(connection.get(), bytesOf(dgram), sizeOf(dgram), &written);
    if (status == QDTLS_STATUS_OK)
        return qint64(written);
    if (!call.ownerIsGone())
        reportAndForgetSession();
    return -1;
}

QByteArray QdtlsRsConnection::decryptDatagram(QUdpSocket *socket, const QByteArray &dgram)
{
    const Call call = enter(socket);
    try {
        QByteArray plaintext(dgram.size(), Qt::Uninitialized);
        int32_t end = QDTLS_STATUS_OK;
        auto status = read(dgram, plaintext, &end);
        if (status == QDTLS_STATUS_BUFFER_TOO_SMALL)
            status = readBuffered(dgram, plaintext, &end);
        if ((status != QDTLS_STATUS_OK || end != QDTLS_STATUS_OK) && !call.ownerIsGone())
            reportAndForgetSession();
        return plaintext;
    } catch (const std::bad_alloc &) {
        // Nothing was decrypted: the datagram counts as lost (A5).
        if (!call.ownerIsGone())
            reportOutOfMemory(QDtlsError::TlsNonFatalError);
        return {};
    }
}

// Decrypts into `plaintext`, and cuts it to the length of the message.
inline qdtls_status QdtlsRsConnection::read(const QByteArray &dgram, QByteArray &plaintext,
                                            int32_t *end)
{
    size_t length = 0;
    const auto status =
        qdtls_connection_read(connection.get(), bytesOf(dgram), sizeOf(dgram),
                              writableBytesOf(plaintext), sizeOf(plaintext), &length, end);
    shorten(plaintext, length);
    return status;
}

// Reads what was buffered during the handshake, too. The peer can make that buffer large, and the
// application may keep the message for long, so it gets no more memory than it needs.
Q_NEVER_INLINE qdtls_status QdtlsRsConnection::readBuffered(const QByteArray &dgram,
                                                            QByteArray &plaintext, int32_t *end)
{
    size_t capacity = 0;
    qdtls_connection_read_capacity(connection.get(), sizeOf(dgram), &capacity);
    plaintext.resize(qsizetype(capacity));
    const auto status = read(dgram, plaintext, end);
    (void)hasMemoryFor([&] { plaintext.squeeze(); });
    return status;
}

void QdtlsRsConnection::emitPskRequired(QSslPreSharedKeyAuthenticator *authenticator)
{
    emit q->pskRequired(authenticator);
}

void QdtlsRsConnection::reportLast()
{
    qdtls_error error = noError();
    qdtls_connection_last_error(connection.get(), &error);
    report(error);
}

void QdtlsRsConnection::reportAndForgetSession()
{
    reportLast();
    forgetSession();
}

// The negotiated cipher and protocols exist only while there is a connection. The peer's
// certificates remain until the next handshake.
void QdtlsRsConnection::forgetSession()
{
    if (isConnectionEncrypted())
        return;
    sessionProtocol = QSsl::UnknownProtocol;
    sessionCipher = nullptr;
    // Without memory, the rest stays until the next handshake.
    (void)hasMemoryFor([this] {
        if (!dtlsConfiguration().nextNegotiatedProtocol().isEmpty())
            setNegotiatedProtocol(dtlsConfiguration(), {});
    });
}

// Cleans up after an end at the application's request.
void QdtlsRsConnection::forgetPeer()
{
    peerErrors = {};
    ignoredErrors = {};
    if (!hasMemoryFor([this] { clearPeerCertificates(); }))
        reportOutOfMemory(QDtlsError::TlsNonFatalError);
    forgetSession();
}

QT_END_NAMESPACE
