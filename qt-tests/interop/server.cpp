// SPDX-License-Identifier: MIT OR Apache-2.0
#include "server.h"

namespace interop {

void Server::start()
{
    listen();
}

void Server::take(const QByteArray &datagram, const QHostAddress &sender, quint16 port)
{
    if (!dtls || isOver)
        greet(datagram, sender, port);
    else if (!dtls->isConnectionEncrypted())
        advance(datagram);
    else if (!decrypt(datagram))
        greet(datagram, sender, port);
}

void Server::greet(const QByteArray &datagram, const QHostAddress &sender, quint16 port)
{
    // The rest of a connection that is over may still come.
    constexpr char handshakeRecord = 22;
    if (!datagram.startsWith(handshakeRecord))
        return;
    if (settings.usesCookies && !verifier.verifyClient(socket.get(), datagram, sender, port))
        return;
    create(QSslSocket::SslServerMode, sender, port);
    advance(datagram);
}

} // namespace interop
