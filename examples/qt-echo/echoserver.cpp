// SPDX-License-Identifier: MIT OR Apache-2.0
#include "echoserver.h"

#include "failure.h"
#include "hello.h"

using namespace Qt::StringLiterals;

EchoServer::EchoServer(const Credentials &credentials)
    : DtlsEndpoint(u"server"_s, credentials)
{
}

void EchoServer::listen(const Peer &wanted)
{
    if (!m_socket.bind(wanted.address, wanted.port))
        throw Failure(u"server: bind: "_s + m_socket.errorString());
    emit happened(Event::Listening, endpoint().text());
}

Peer EchoServer::endpoint() const
{
    return { m_socket.localAddress(), m_socket.localPort() };
}

void EchoServer::closeSessions()
{
    for (const auto &[client, dtls] : m_sessions) {
        if (dtls->isConnectionEncrypted())
            close(*dtls);
    }
    m_sessions.clear();
}

void EchoServer::handleDatagram(const QByteArray &datagram, const Peer &sender)
{
    const auto session = m_sessions.find(sender);
    if (session == m_sessions.end()) {
        verifyClient(datagram, sender);
        return;
    }

    QDtls &dtls = *session->second;
    if (!dtls.isConnectionEncrypted()) {
        continueHandshake(dtls, datagram);
    } else {
        const QByteArray text = decrypt(dtls, datagram);
        if (!text.isEmpty())
            send(dtls, text, Event::TextEchoed);
    }

    // After a failed handshake or a close_notify the association is useless.
    if (dtls.handshakeState() == QDtls::HandshakeNotStarted)
        m_sessions.erase(session);
}

/// Until a client returns a cookie, its address may be forged: no state is kept for it.
void EchoServer::verifyClient(const QByteArray &datagram, const Peer &sender)
{
    const auto hello = parseHello(datagram);
    if (!hello || hello->type != Hello::ClientHello)
        return; // A late datagram of a closed association.

    const bool verified = m_verifier.verifyClient(&m_socket, datagram, sender.address, sender.port);
    if (verified && hello->cookieLength == 0) {
        emit failed(u"verifyClient accepted a ClientHello that has no cookie"_s);
    } else if (verified) {
        emit happened(Event::CookieVerified, hello->cookieText(), sender.text());
        startSession(sender);
    } else if (m_verifier.dtlsError() == QDtlsError::NoError) {
        emit happened(Event::HelloVerifyRequestSent, u"ClientHello had "_s + hello->cookieText(),
                      sender.text());
    } else {
        emit failed(u"verifyClient: "_s + m_verifier.dtlsErrorString());
    }
}

void EchoServer::startSession(const Peer &client)
{
    auto dtls = makeDtls(QSslSocket::SslServerMode, client);
    continueHandshake(*dtls, m_verifier.verifiedHello());
    if (dtls->handshakeState() == QDtls::HandshakeInProgress)
        m_sessions.emplace(client, std::move(dtls));
}
