// SPDX-License-Identifier: MIT OR Apache-2.0
#include "server.h"

#include <QtNetwork/QHostAddress>

namespace soak {

constexpr qint64 longestQuietMs = 5000;
// What comes while others are served waits in the kernel.
constexpr int receiveBuffer = 8 << 20;

Server::Server(const QSslConfiguration &all)
    : configuration(all)
{
    connect(&socket, &QUdpSocket::readyRead, this, &Server::read);
}

bool Server::listen()
{
    if (!socket.bind(QHostAddress::LocalHost))
        return false;
    socket.setSocketOption(QAbstractSocket::ReceiveBufferSizeSocketOption, receiveBuffer);
    return true;
}

void Server::read()
{
    while (socket.hasPendingDatagrams()) {
        QByteArray datagram(qMax<qint64>(0, socket.pendingDatagramSize()), Qt::Uninitialized);
        quint16 port = 0;
        datagram.resize(
            qMax<qint64>(0, socket.readDatagram(datagram.data(), datagram.size(), nullptr, &port)));
        receive(datagram, port);
    }
}

void Server::receive(const QByteArray &datagram, quint16 port)
{
    const auto peer = peers.find(port);
    if (peer == peers.end()) {
        if (verifier.verifyClient(&socket, datagram, QHostAddress::LocalHost, port))
            accept(datagram, port);
    } else if (peer->second.dtls->isConnectionEncrypted()) {
        echo(port, datagram);
    } else {
        proceed(port, datagram);
    }
}

void Server::accept(const QByteArray &hello, quint16 port)
{
    auto dtls = std::make_unique<QDtls>(QSslSocket::SslServerMode);
    dtls->setDtlsConfiguration(configuration);
    dtls->setPeer(QHostAddress::LocalHost, port);
    connect(dtls.get(), &QDtls::handshakeTimeout, this, [this, port] { handleTimeout(port); });
    Peer &peer = peers[port];
    peer.dtls = std::move(dtls);
    peer.quiet.start();
    proceed(port, hello);
}

void Server::proceed(quint16 port, const QByteArray &datagram)
{
    QDtls &dtls = *peers[port].dtls;
    if (!dtls.doHandshake(&socket, datagram)) {
        ++failed;
        forget(port);
    } else if (dtls.handshakeState() == QDtls::HandshakeComplete) {
        ++completed;
    }
}

void Server::echo(quint16 port, const QByteArray &datagram)
{
    Peer &peer = peers[port];
    const QByteArray plain = peer.dtls->decryptDatagram(&socket, datagram);
    if (!plain.isEmpty()) {
        peer.quiet.restart();
        peer.dtls->writeDatagramEncrypted(&socket, plain);
    }
    // Closed by the peer, or the peer has restarted: its next hello finds nobody.
    if (!peer.dtls->isConnectionEncrypted())
        forget(port);
}

void Server::handleTimeout(quint16 port)
{
    const auto peer = peers.find(port);
    if (peer == peers.end())
        return;
    QDtls &dtls = *peer->second.dtls;
    if (!dtls.handleTimeout(&socket) && dtls.handshakeState() == QDtls::HandshakeNotStarted)
        forget(port);
}

// Not at once: this may run in one of its slots.
void Server::forget(quint16 port)
{
    const auto peer = peers.find(port);
    peer->second.dtls->disconnect(this);
    peer->second.dtls.release()->deleteLater();
    peers.erase(peer);
}

void Server::sweep()
{
    for (auto peer = peers.begin(); peer != peers.end();) {
        const quint16 port = peer->first;
        const bool isQuiet = peer->second.quiet.hasExpired(longestQuietMs);
        ++peer;
        if (isQuiet)
            forget(port);
    }
}

} // namespace soak
