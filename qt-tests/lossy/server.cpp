// SPDX-License-Identifier: MIT OR Apache-2.0
#include "server.h"

#include "pair/loopback.h"

namespace lossy {

Server::Server(const Settings &all)
    : settings(all)
{
    connect(&socket, &QUdpSocket::readyRead, this, &Server::read);
}

bool Server::start()
{
    return socket.bind(QHostAddress::LocalHost)
        && socket.writeDatagram("server", QHostAddress::LocalHost, settings.control) > 0;
}

bool Server::isComplete(quint16 port) const
{
    const auto peer = peers.find(port);
    return peer != peers.end() && peer->second->handshakeState() == QDtls::HandshakeComplete;
}

QString Server::error(quint16 port) const
{
    const auto error = errors.find(port);
    return error == errors.end() ? QString() : error->second;
}

void Server::read()
{
    while (socket.hasPendingDatagrams()) {
        QByteArray datagram(socket.pendingDatagramSize(), Qt::Uninitialized);
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
    } else if (peer->second->isConnectionEncrypted()) {
        // Here a client whose flight was lost is answered.
        peer->second->decryptDatagram(&socket, datagram);
    } else {
        proceed(port, datagram);
    }
}

void Server::accept(const QByteArray &hello, quint16 port)
{
    auto dtls = std::make_unique<QDtls>(QSslSocket::SslServerMode);
    dtls->setDtlsConfiguration(settings.server);
    dtls->setPeer(QHostAddress::LocalHost, port);
    if (settings.mtuHint > 0)
        dtls->setMtuHint(quint16(settings.mtuHint));
    connect(dtls.get(), &QDtls::handshakeTimeout, this, [this, port] { handleTimeout(port); });
    peers[port] = std::move(dtls);
    proceed(port, hello);
}

void Server::handleTimeout(quint16 port)
{
    const auto peer = peers.find(port);
    if (peer != peers.end())
        peer->second->handleTimeout(&socket);
}

// A peer whose handshake failed begins again with its next hello.
void Server::proceed(quint16 port, const QByteArray &datagram)
{
    QDtls &dtls = *peers[port];
    if (!dtls.doHandshake(&socket, datagram)) {
        errors[port] =
            QLatin1String(pair::nameOf(dtls.dtlsError())) + ": " + dtls.dtlsErrorString();
        // Not at once: this may run in one of its slots.
        peers[port].release()->deleteLater();
        peers.erase(port);
    } else if (dtls.handshakeState() == QDtls::HandshakeComplete) {
        emit completed(port);
    }
}

} // namespace lossy
