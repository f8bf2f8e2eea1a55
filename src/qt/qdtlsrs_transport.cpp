// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_transport_p.h"

#include "qdtlsrs_connection_p.h"

#include <QtNetwork/qnetworkinterface.h>
#include <QtNetwork/qsslpresharedkeyauthenticator.h>

#include <algorithm>
#include <limits>

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

void Call::changeSocket(QUdpSocket *socket)
{
    if (transport.calls > 1)
        outerSocket = transport.socket;
    transport.socket = socket;
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

int32_t Transport::send(void *user, const uint8_t *datagram, size_t length)
{
    auto *self = static_cast<Transport *>(user);
    QUdpSocket *socket = self->socket;
    if (!socket || length > size_t(std::numeric_limits<int>::max()))
        return QDTLS_SEND_RESULT_FAILED;

    const auto data = reinterpret_cast<const char *>(datagram);
    // Checked for each datagram: the application may connect or disconnect its socket at any time.
    const bool connected = socket->state() == QAbstractSocket::ConnectedState;
    const qint64 sent = connected
        ? socket->write(data, qint64(length))
        : socket->writeDatagram(data, qint64(length), self->address, self->port);
    if (sent == qint64(length))
        return QDTLS_SEND_RESULT_SENT;
    return self->explainFailure(sent);
}

static int32_t resultOf(const QUdpSocket &socket)
{
    switch (socket.error()) {
    case QAbstractSocket::TemporaryError:
        return QDTLS_SEND_RESULT_LOST;
    // A connected socket's error stays unset after an ICMP message from the peer's host.
    case QAbstractSocket::UnknownSocketError:
    case QAbstractSocket::ConnectionRefusedError:
    case QAbstractSocket::RemoteHostClosedError:
        return QDTLS_SEND_RESULT_REFUSED;
    default:
        return QDTLS_SEND_RESULT_FAILED;
    }
}

Q_NEVER_INLINE int32_t Transport::explainFailure(qint64 sent)
{
    const QString systemError = qt_error_string();
    if (!socket) // deleted by a slot
        return QDTLS_SEND_RESULT_FAILED;
    if (sent >= 0)
        return QDTLS_SEND_RESULT_LOST;
    const bool known = socket->error() != QAbstractSocket::UnknownSocketError;
    socketError = known ? socket->errorString() : systemError;
    return resultOf(*socket);
}

void Transport::psk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply)
{
    auto *self = static_cast<Transport *>(user);
    if (!self->connection)
        return;

    QSslPreSharedKeyAuthenticator authenticator;
    self->pskText =
        QByteArray(reinterpret_cast<const char *>(request->text), qsizetype(request->text_length));
    // Qt's number includes a terminating zero, as OpenSSL's does.
    const auto maxIdentity = unsigned(request->max_identity) + 1;
    const auto maxKey = unsigned(request->max_key);
    if (request->role == QDTLS_ROLE_CLIENT) {
        QTlsBackend::setupClientPskAuth(&authenticator,
                                        request->text ? self->pskText.constData() : nullptr,
                                        int(self->pskText.size()), maxIdentity, maxKey);
    } else {
        QTlsBackend::setupServerPskAuth(&authenticator, self->pskText.constData(),
                                        self->connection->pskIdentityHint(), maxKey);
    }

    self->connection->emitPskRequired(&authenticator);

    QByteArray key = authenticator.preSharedKey();
    const QByteArray identity = authenticator.identity();
    qdtls_psk_reply_set(reply, bytesOf(identity), sizeOf(identity), bytesOf(key), sizeOf(key));
    // Wipes the last copy of the key. The application answers for a copy that it keeps.
    authenticator = {};
    if (key.isDetached())
        qdtls_wipe(writableBytesOf(key), sizeOf(key));
}

} // namespace QdtlsRs

QT_END_NAMESPACE
