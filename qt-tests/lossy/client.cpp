// SPDX-License-Identifier: MIT OR Apache-2.0
#include "client.h"

#include "pair/loopback.h"

namespace lossy {

Client::Client(const Settings &settings, Ports link)
    : ports(link)
    , dtls(QSslSocket::SslClientMode)
{
    dtls.setDtlsConfiguration(settings.client);
    dtls.setPeer(QHostAddress::LocalHost, ports.front, serverName);
    if (settings.mtuHint > 0)
        dtls.setMtuHint(quint16(settings.mtuHint));
    connect(&socket, &QUdpSocket::readyRead, this, &Client::read);
    connect(&dtls, &QDtls::handshakeTimeout, this, &Client::handleTimeout);
}

void Client::start()
{
    sinceStart.start();
    if (!socket.bind(QHostAddress::LocalHost) || !dtls.doHandshake(&socket))
        fail();
}

void Client::read()
{
    for (const QByteArray &datagram : pair::takeDatagrams(socket))
        receive(datagram);
}

void Client::receive(const QByteArray &datagram)
{
    if (!error.isEmpty())
        return;
    if (dtls.isConnectionEncrypted())
        dtls.decryptDatagram(&socket, datagram);
    else if (!dtls.doHandshake(&socket, datagram))
        fail();
    else if (isComplete())
        emit ended();
}

void Client::handleTimeout()
{
    if (!dtls.handleTimeout(&socket) && dtls.handshakeState() == QDtls::HandshakeNotStarted)
        fail();
}

void Client::fail()
{
    error = QLatin1String(pair::nameOf(dtls.dtlsError())) + ": " + dtls.dtlsErrorString();
    emit ended();
}

} // namespace lossy
