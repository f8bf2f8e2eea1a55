// SPDX-License-Identifier: MIT OR Apache-2.0
#include "echoclient.h"

#include "hello.h"

using namespace Qt::StringLiterals;

EchoClient::EchoClient(const Credentials &credentials)
    : DtlsEndpoint(u"client"_s, credentials)
{
}

void EchoClient::connectTo(const Peer &server, const QString &name)
{
    m_dtls = makeDtls(QSslSocket::SslClientMode, server);
    m_dtls->setPeerVerificationName(name);

    // A connected UDP socket receives datagrams from the server only.
    connect(&m_socket, &QUdpSocket::connected, this, [this] { continueHandshake(*m_dtls); });
    m_socket.connectToHost(server.address, server.port);
}

void EchoClient::send(const QByteArray &text)
{
    m_sent = text;
    DtlsEndpoint::send(*m_dtls, text, Event::TextSent);
}

void EchoClient::close()
{
    DtlsEndpoint::close(*m_dtls);
}

void EchoClient::handleDatagram(const QByteArray &datagram, const Peer &sender)
{
    const auto hello = parseHello(datagram);
    if (hello && hello->type == Hello::HelloVerifyRequest)
        emit happened(Event::HelloVerifyRequestReceived, hello->cookieText(), sender.text());

    if (m_dtls->handshakeState() == QDtls::HandshakeInProgress) {
        continueHandshake(*m_dtls, datagram);
    } else if (m_dtls->isConnectionEncrypted()) {
        const QByteArray text = decrypt(*m_dtls, datagram);
        if (!text.isEmpty())
            checkEcho(text, sender);
    }
}

void EchoClient::checkEcho(const QByteArray &text, const Peer &sender)
{
    if (text == m_sent)
        emit happened(Event::EchoReceived, QString::fromUtf8(text).trimmed(), sender.text());
    else
        emit failed(u"not what was sent: "_s + QString::fromUtf8(text).trimmed());
}
