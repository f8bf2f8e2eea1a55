// SPDX-License-Identifier: MIT OR Apache-2.0
#include "loopback.h"

#include <poll.h>

namespace pair {

namespace {

// The kernel delivers on loopback within the send; this is the margin for a loaded machine.
constexpr int quietMs = 20;

QByteArray readDatagram(QUdpSocket &socket)
{
    QByteArray datagram(socket.pendingDatagramSize(), Qt::Uninitialized);
    datagram.resize(qMax<qint64>(0, socket.readDatagram(datagram.data(), datagram.size())));
    return datagram;
}

} // namespace

QByteArrayList takeDatagrams(QUdpSocket &socket)
{
    QByteArrayList datagrams;
    while (socket.hasPendingDatagrams())
        datagrams << readDatagram(socket);
    return datagrams;
}

std::optional<QByteArray> nextDatagram(QUdpSocket &socket)
{
    if (!waitForDatagram(socket, socket))
        return {};
    return readDatagram(socket);
}

bool waitForDatagram(const QUdpSocket &one, const QUdpSocket &other)
{
    pollfd descriptors[] = { { int(one.socketDescriptor()), POLLIN, 0 },
                             { int(other.socketDescriptor()), POLLIN, 0 } };
    if (poll(descriptors, 2, quietMs) <= 0)
        return false;
    return one.hasPendingDatagrams() || other.hasPendingDatagrams();
}

Endpoint::Endpoint(QSslSocket::SslMode mode, const QHostAddress &address)
    : mode(mode)
{
    socket.bind(address);
    create();
}

void Endpoint::create()
{
    dtls = std::make_unique<QDtls>(mode);
    failed = false;
    // Direct: answered before the signal returns, on whatever thread QDtls is used.
    QObject::connect(
        dtls.get(), &QDtls::pskRequired, dtls.get(),
        [this](QSslPreSharedKeyAuthenticator *authenticator) {
            authenticator->setIdentity(pskIdentity);
            authenticator->setPreSharedKey(pskKey);
        },
        Qt::DirectConnection);
}

void Endpoint::renew()
{
    create();
    dtls->setDtlsConfiguration(configuration);
    dtls->setPeer(peerAddress, peerPort, peerName);
}

void Endpoint::setConfiguration(const QSslConfiguration &newConfiguration)
{
    configuration = newConfiguration;
    dtls->setDtlsConfiguration(configuration);
}

void Endpoint::setPeer(const Endpoint &peer, const QString &verificationName)
{
    peerAddress = peer.socket.localAddress();
    peerPort = peer.socket.localPort();
    peerName = verificationName;
    dtls->setPeer(peerAddress, peerPort, peerName);
}

void Endpoint::usePsk(const QByteArray &key, const QByteArray &identity)
{
    pskKey = key;
    pskIdentity = identity;
}

bool Endpoint::verify(QDtlsClientVerifier &verifier, const QByteArray &hello)
{
    return verifier.verifyClient(&socket, hello, peerAddress, peerPort);
}

bool Endpoint::deliver()
{
    bool any = false;
    while (socket.hasPendingDatagrams()) {
        const QByteArrayList datagrams = takeDatagrams(socket);
        received += datagrams;
        for (const QByteArray &datagram : datagrams) {
            const QByteArrayList delivered =
                filter ? filter(datagram) : QByteArrayList { datagram };
            for (const QByteArray &one : delivered)
                process(one);
        }
        any = true;
    }
    return any;
}

void Endpoint::process(const QByteArray &datagram)
{
    if (!dtls || failed)
        return;
    if (dtls->isConnectionEncrypted())
        plain += dtls->decryptDatagram(&socket, datagram);
    else if (!dtls->doHandshake(&socket, datagram))
        failed = true;
}

bool Endpoint::isComplete() const
{
    return dtls && dtls->isConnectionEncrypted()
        && dtls->handshakeState() == QDtls::HandshakeComplete;
}

QByteArray Endpoint::report() const
{
    if (!dtls)
        return "deleted";
    static const char *const states[] = { "not started", "in progress", "peer not verified",
                                          "complete" };
    QByteArray text = states[dtls->handshakeState()];
    if (dtls->dtlsError() != QDtlsError::NoError)
        text +=
            QByteArray(", ") + nameOf(dtls->dtlsError()) + ": " + dtls->dtlsErrorString().toUtf8();
    return text;
}

Loopback::Loopback(const QSslConfiguration &clientSide, const QSslConfiguration &serverSide,
                   const QString &verificationName, const QHostAddress &address)
    : client(QSslSocket::SslClientMode, address)
    , server(QSslSocket::SslServerMode, address)
{
    client.setConfiguration(clientSide);
    server.setConfiguration(serverSide);
    client.setPeer(server, verificationName);
    server.setPeer(client);
    client.usePsk("a key that both sides know");
    server.usePsk("a key that both sides know");
}

Loopback::Loopback(const QHostAddress &address)
    : Loopback(clientConfiguration(), serverConfiguration(), {}, address)
{
}

Loopback::Loopback(const Identity &identity, const QString &verificationName,
                   const QHostAddress &address)
    : Loopback(clientConfiguration(identity), serverConfiguration(identity), verificationName,
               address)
{
}

bool Loopback::start()
{
    return client.dtls->doHandshake(&client.socket);
}

void Loopback::exchange()
{
    do {
        while (server.deliver() || client.deliver()) { }
    } while (waitForDatagram(server.socket, client.socket));
}

bool Loopback::handshake()
{
    if (!start())
        return false;
    exchange();
    return client.isComplete() && server.isComplete();
}

QByteArray Loopback::report() const
{
    return "client: " + client.report() + "; server: " + server.report();
}

} // namespace pair
