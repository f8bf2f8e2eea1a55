// SPDX-License-Identifier: MIT OR Apache-2.0
#include "client.h"

namespace interop {

namespace {

// A peer with one connection at a time has to notice the end of the first.
constexpr int pauseMs = 300;

} // namespace

void Client::start()
{
    listen();
    create(QSslSocket::SslClientMode, QHostAddress::LocalHost, settings.port);
    advance();
}

void Client::take(const QByteArray &datagram, const QHostAddress &, quint16)
{
    if (!dtls || isOver)
        return;
    if (dtls->isConnectionEncrypted())
        decrypt(datagram);
    else
        advance(datagram);
}

void Client::next()
{
    QTimer::singleShot(pauseMs, this, &Client::connectAgain);
}

void Client::connectAgain()
{
    if (!settings.restarts)
        listen();
    create(QSslSocket::SslClientMode, QHostAddress::LocalHost, settings.port);
    advance();
}

} // namespace interop
