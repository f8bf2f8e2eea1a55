// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_transport_p.h"

#include "qdtlsrs_connection_p.h"
#include "qdtlsrs_memory_p.h"
#include "qdtlsrs_private_access_p.h"

#include <QtNetwork/qnetworkinterface.h>
#include <QtNetwork/qsslpresharedkeyauthenticator.h>

#include <QtCore/private/qobject_p.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#ifdef Q_OS_WIN
#include <qt_windows.h>
#endif

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

qdtls_address addressFrom(const QHostAddress &address, quint16 port)
{
    qdtls_address result = {};
    result.port = port;
    if (address.protocol() == QAbstractSocket::IPv4Protocol) {
        const quint32 v4 = address.toIPv4Address();
        result.family = 4;
        for (int i = 0; i < 4; ++i)
            result.bytes[i] = uint8_t(v4 >> (24 - 8 * i));
        return result;
    }
    // A null address and QHostAddress::Any become "::", which Rust refuses.
    const Q_IPV6ADDR v6 = address.toIPv6Address();
    result.family = 6;
    std::copy(std::begin(v6.c), std::end(v6.c), std::begin(result.bytes));
    bool isIndex = false;
    result.scope = address.scopeId().toUInt(&isIndex);
    if (!isIndex)
        result.scope = uint32_t(QNetworkInterface::interfaceIndexFromName(address.scopeId()));
    return result;
}

void Call::forgetSocketError()
{
    transport.socketError.clear();
}

// Without the memory that the first pointer to a socket takes, the call sends nothing.
void Call::changeSocket(QUdpSocket *socket)
{
    if (transport.calls > 1)
        outerSocket = transport.socket;
    if (hasMemoryFor([&] { transport.socket = socket; }))
        return;
    transport.socket.clear();
    transport.socketResult = QDTLS_SEND_RESULT_FAILED;
    transport.socketError = outOfMemory();
}

void Call::restoreSocket()
{
    transport.socket = outerSocket;
}

void Transport::destroy()
{
    delete this;
}

void Transport::release(void *user)
{
    static_cast<Transport *>(user)->letGo();
}

// The number of the last failed system call on this thread, which is also Winsock's on Windows.
static int systemError()
{
#ifdef Q_OS_WIN
    return int(GetLastError());
#else
    return errno;
#endif
}

// An inexpensive first question.
static inline bool hasConnections(const QUdpSocket &socket)
{
    return QObjectPrivate::get(&socket)->connections.loadRelaxed();
}

Q_NEVER_INLINE static bool isErrorObserved(const QUdpSocket &socket)
{
    static const QMetaMethod signal = QMetaMethod::fromSignal(&QUdpSocket::errorOccurred);
    return isSignalConnected(socket, signal);
}

int32_t Transport::send(void *user, const uint8_t *datagram, size_t length)
{
    auto *self = static_cast<Transport *>(user);
    QUdpSocket *socket = self->socket;
    if (!socket)
        return QDTLS_SEND_RESULT_FAILED;
    try {
        return self->sendTo(*socket, reinterpret_cast<const char *>(datagram), qint64(length));
    } catch (const std::bad_alloc &) {
        return self->keepFailure(QDTLS_SEND_RESULT_LOST, outOfMemory());
    }
}

inline int32_t Transport::sendTo(QUdpSocket &used, const char *data, qint64 size)
{
    // Checked for each datagram: the application may connect or disconnect its socket at any time.
    const auto state = used.state();
    // A connected socket emits nothing when it fails. One that is not bound yet emits more when it
    // sends.
    if (state == QAbstractSocket::BoundState && Q_UNLIKELY(hasConnections(used))
        && isErrorObserved(used)) {
        return sendObserved(used, data, size);
    }
    const qint64 sent = state == QAbstractSocket::ConnectedState
        ? used.write(data, size)
        : used.writeDatagram(data, size, address, port);
    return Q_LIKELY(sent == size) ? QDTLS_SEND_RESULT_SENT : explainFailure(sent, systemError());
}

// Qt emits errorOccurred before it returns from a failed writeDatagram, and a slot may change the
// system's error. The signals wait until it is read.
Q_NEVER_INLINE int32_t Transport::sendObserved(QUdpSocket &used, const char *data, qint64 size)
{
    qint64 sent = -1;
    int error = 0;
    {
        const QSignalBlocker blocker(used);
        sent = used.writeDatagram(data, size, address, port);
        error = systemError();
    }
    if (sent >= 0)
        emit used.bytesWritten(sent);
    else
        emit used.errorOccurred(used.error());
    return sent == size ? QDTLS_SEND_RESULT_SENT : explainFailure(sent, error);
}

Q_NEVER_INLINE int32_t Transport::explainFailure(qint64 sent, int error)
{
    int32_t result = QDTLS_SEND_RESULT_LOST;
    QString text = QUdpSocket::tr("Unable to send a datagram");
    if (sent < 0 && socket && !socket->isValid()) {
        result = QDTLS_SEND_RESULT_FAILED;
        text = QStringLiteral("the socket is not open");
    } else if (sent < 0) {
        result = qdtls_send_result_of_errno(error);
        text = qt_error_string(error);
    }
    return keepFailure(result, text);
}

// Keeps the text of the worst failure of a call, whose result is the call's.
int32_t Transport::keepFailure(int32_t result, const QString &text)
{
    if (socketError.isNull() || result > socketResult) {
        socketResult = result;
        socketError = text;
    }
    return result;
}

void Transport::psk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply)
{
    auto *self = static_cast<Transport *>(user);
    // Without memory there is no key.
    if (self->connection)
        (void)hasMemoryFor([&] { self->askForPsk(*request, reply); });
}

void Transport::askForPsk(const qdtls_psk_request &request, qdtls_psk_reply *reply)
{
    std::optional<QSslPreSharedKeyAuthenticator> authenticator(std::in_place);
    const QByteArray text(reinterpret_cast<const char *>(request.text),
                          qsizetype(request.text_length));
    // Qt's number includes a terminating zero, as OpenSSL's does.
    const auto maxIdentity = unsigned(request.max_identity) + 1;
    const auto maxKey = unsigned(request.max_key);
    if (request.role == QDTLS_ROLE_CLIENT) {
        // The server's function makes the authenticator, and a copy that a slot keeps, own the
        // hint; the client's would refer to it.
        QTlsBackend::setupServerPskAuth(&*authenticator, nullptr, text, maxKey);
        QTlsBackend::setupClientPskAuth(&*authenticator, nullptr, 0, maxIdentity, maxKey);
    } else {
        QTlsBackend::setupServerPskAuth(&*authenticator, text.constData(),
                                        connection->pskIdentityHint(), maxKey);
    }

    connection->emitPskRequired(&*authenticator);

    QByteArray key = authenticator->preSharedKey();
    const QByteArray identity = authenticator->identity();
    qdtls_psk_reply_set(reply, bytesOf(identity), sizeOf(identity), bytesOf(key), sizeOf(key));
    // Wipes the last copy of the key. The application answers for a copy that it keeps.
    authenticator.reset();
    if (key.isDetached())
        qdtls_wipe(writableBytesOf(key), sizeOf(key));
}

} // namespace QdtlsRs

QT_END_NAMESPACE
