// SPDX-License-Identifier: MIT OR Apache-2.0
#include "server.h"

#include <QtNetwork/QHostAddress>

#include <utility>

namespace pair {

Server::Server(QSslConfiguration all)
    : configuration(std::move(all))
{
    connect(&socket, &QUdpSocket::readyRead, this, &Server::read);
}

bool Server::bind()
{
    return socket.bind(QHostAddress::LocalHost);
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
        decrypt(peer, datagram);
    } else {
        proceed(peer, datagram);
    }
}

void Server::accept(const QByteArray &hello, quint16 port)
{
    auto dtls = std::make_unique<QDtls>(QSslSocket::SslServerMode);
    dtls->setDtlsConfiguration(configuration);
    dtls->setPeer(QHostAddress::LocalHost, port);
    prepare(*dtls);
    connect(dtls.get(), &QDtls::handshakeTimeout, this, [this, port] { handleTimeout(port); });
    const auto peer = peers.emplace(port, Peer { std::move(dtls), {} }).first;
    peer->second.quiet.start();
    proceed(peer, hello);
}

void Server::proceed(Peers::iterator peer, const QByteArray &datagram)
{
    QDtls &dtls = *peer->second.dtls;
    if (!dtls.doHandshake(&socket, datagram))
        fail(peer);
    else if (dtls.handshakeState() == QDtls::HandshakeComplete)
        onCompleted(peer->first);
}

// Also answers a client whose last flight was lost.
void Server::decrypt(Peers::iterator peer, const QByteArray &datagram)
{
    QDtls &dtls = *peer->second.dtls;
    const QByteArray plain = dtls.decryptDatagram(&socket, datagram);
    if (!plain.isEmpty()) {
        peer->second.quiet.restart();
        onMessage(dtls, plain);
    }
    // Closed by the peer, or the peer has restarted: its next hello finds nobody.
    if (!dtls.isConnectionEncrypted())
        forget(peer);
}

void Server::handleTimeout(quint16 port)
{
    const auto peer = peers.find(port);
    if (peer == peers.end())
        return;
    QDtls &dtls = *peer->second.dtls;
    if (!dtls.handleTimeout(&socket) && dtls.handshakeState() == QDtls::HandshakeNotStarted)
        fail(peer);
}

void Server::fail(Peers::iterator peer)
{
    onFailed(peer->first, *peer->second.dtls);
    forget(peer);
}

// Not deleted at once: this may run in one of its slots.
void Server::forget(Peers::iterator peer)
{
    peer->second.dtls->disconnect(this);
    peer->second.dtls.release()->deleteLater();
    peers.erase(peer);
}

} // namespace pair
