// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtls_openssl_p.h"

#include <QtNetwork/qnetworkinterface.h>
#include <QtNetwork/qsslpresharedkeyauthenticator.h>
#include <QtNetwork/qudpsocket.h>

#include <QtCore/qloggingcategory.h>

#include <algorithm>
#include <limits>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

static void logWarning(const char *line)
{
    qCWarning(lcTlsBackend, "%s", line);
}

Library::Library()
{
    qCDebug(lcTlsBackend, "DTLS by %s", qdtls_version());
    qdtls_set_logger(logWarning);
    usable = qdtls_abi_version() == QDTLS_ABI_VERSION
        && qdtls_openssl_attach(q_DTLS_client_method(), q_BIO_s_mem()) == QDTLS_STATUS_OK;
    if (usable)
        return;
    qdtls_error error = {};
    qdtls_last_error(&error);
    operation = error.operation;
    reason = error.reason;
    qCWarning(lcTlsBackend, "%s: %s", operation.constData(), reason.constData());
}

const Library &Library::instance()
{
    static const Library library;
    return library;
}

qdtls_error Library::error() const
{
    return { QDTLS_STATUS_OPENSSL_MISMATCH, QDTLS_CATEGORY_TLS_INITIALIZATION, 0,
             operation.constData(), reason.constData() };
}

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
    // Null and QHostAddress::Any come as "::", which Rust refuses.
    const Q_IPV6ADDR v6 = address.toIPv6Address();
    result.family = 6;
    std::copy(std::begin(v6.c), std::end(v6.c), std::begin(result.bytes));
    bool isIndex = false;
    result.scope = address.scopeId().toUInt(&isIndex);
    if (!isIndex)
        result.scope = uint32_t(QNetworkInterface::interfaceIndexFromName(address.scopeId()));
    return result;
}

Cookie::Cookie()
{
    qdtls_cookie_new(&cookie);
}

Cookie::~Cookie()
{
    qdtls_cookie_free(cookie);
}

bool Cookie::set(const QTlsPrivate::DtlsBase::GenParams &parameters, qdtls_error *error)
{
    const auto status = qdtls_cookie_set_parameters(
        cookie, int32_t(parameters.hash), bytesOf(parameters.secret), sizeOf(parameters.secret));
    if (status != QDTLS_STATUS_OK)
        qdtls_cookie_last_error(cookie, error);
    return status == QDTLS_STATUS_OK;
}

QTlsPrivate::DtlsBase::GenParams Cookie::get() const
{
    size_t length = 0;
    if (qdtls_cookie_secret_length(cookie, &length) != QDTLS_STATUS_OK)
        return {};
    int32_t hash = 0;
    QByteArray secret(qsizetype(length), Qt::Uninitialized);
    if (qdtls_cookie_parameters(cookie, &hash, reinterpret_cast<uint8_t *>(secret.data()), length,
                                &length)
        != QDTLS_STATUS_OK) {
        return {};
    }
    return { QCryptographicHash::Algorithm(hash), secret };
}

static int32_t resultOf(const QUdpSocket &socket)
{
    switch (socket.error()) {
    case QAbstractSocket::TemporaryError:
        return QDTLS_SEND_RESULT_LOST;
    // Qt leaves the error of a connected socket unset when the peer's host has answered with an
    // ICMP message.
    case QAbstractSocket::UnknownSocketError:
    case QAbstractSocket::ConnectionRefusedError:
    case QAbstractSocket::RemoteHostClosedError:
        return QDTLS_SEND_RESULT_REFUSED;
    default:
        return QDTLS_SEND_RESULT_FAILED;
    }
}

static Transport *transportOf(void *user)
{
    return static_cast<std::shared_ptr<Transport> *>(user)->get();
}

qdtls_callbacks Transport::callbacksFor(const std::shared_ptr<Transport> &transport)
{
    return { new std::shared_ptr<Transport>(transport), send, psk, nullptr, release };
}

void Transport::release(void *user)
{
    delete static_cast<std::shared_ptr<Transport> *>(user);
}

int32_t Transport::send(void *user, const uint8_t *datagram, size_t length)
{
    Transport *self = transportOf(user);
    QUdpSocket *socket = self->socket;
    if (!socket || length > size_t(std::numeric_limits<int>::max()))
        return QDTLS_SEND_RESULT_FAILED;

    const auto data = reinterpret_cast<const char *>(datagram);
    const bool connected = socket->state() == QAbstractSocket::ConnectedState;
    const qint64 sent = connected
        ? socket->write(data, qint64(length))
        : socket->writeDatagram(data, qint64(length), self->address, self->port);
    if (sent == qint64(length))
        return QDTLS_SEND_RESULT_SENT;
    const QString systemError = qt_error_string();
    if (!self->socket) // deleted by a slot
        return QDTLS_SEND_RESULT_FAILED;
    if (sent >= 0)
        return QDTLS_SEND_RESULT_LOST;
    const bool known = socket->error() != QAbstractSocket::UnknownSocketError;
    self->socketError = known ? socket->errorString() : systemError;
    return resultOf(*socket);
}

void Transport::psk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply)
{
    Transport *self = transportOf(user);
    if (!self->connection)
        return;

    QSslPreSharedKeyAuthenticator authenticator;
    self->pskText =
        QByteArray(reinterpret_cast<const char *>(request->text), qsizetype(request->text_length));
    // Qt counts a terminating zero in, as OpenSSL does.
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
    // The last copy of a key is wiped; one that the application still holds is the application's.
    authenticator = {};
    if (key.isDetached())
        qdtls_wipe(reinterpret_cast<uint8_t *>(key.data()), sizeOf(key));
}

} // namespace QdtlsRs

QT_END_NAMESPACE
