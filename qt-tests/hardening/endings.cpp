// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F7: the end of a connection, as the peer sees it.
#include "cases.h"
#include "openssl_peer.h"

#include <QtTest/QTest>

namespace hardening {

class Endings : public QObject {
    Q_OBJECT
    Q_CLASSINFO("F7_server_answers_close_notify", "a server answers a close_notify with its own")
    Q_CLASSINFO("F7_client_answers_close_notify", "a client answers a close_notify with its own")
    Q_CLASSINFO("F7_both_sides_close", "two sides that close at once end quietly")

private slots:
    void F7_server_answers_close_notify();
    void F7_client_answers_close_notify();
    void F7_both_sides_close();

private:
    void answersCloseNotify(QSslSocket::SslMode mode);
};

namespace {

const Registered<Endings> registration;

} // namespace

void Endings::answersCloseNotify(QSslSocket::SslMode mode)
{
    const Identity identity = Identity::selfSigned("DNS:bob.example");
    const bool isServer = mode == QSslSocket::SslServerMode;
    Endpoint endpoint(mode, QHostAddress::LocalHost);
    OpenSslPeer peer(isServer ? OpenSslPeer::Side::Client : OpenSslPeer::Side::Server, identity);
    endpoint.setConfiguration(isServer ? serverConfiguration(identity)
                                       : clientConfiguration(identity));
    endpoint.dtls->setPeer(peer.socket.localAddress(), peer.socket.localPort(), "bob.example");
    peer.setPeer(endpoint.socket);
    if (isServer)
        peer.advance();
    else
        QVERIFY(endpoint.dtls->doHandshake(&endpoint.socket));
    exchange(peer, endpoint);
    QVERIFY2(endpoint.isComplete() && peer.isComplete(), endpoint.report());

    peer.close();
    exchange(peer, endpoint);
    QCOMPARE(endpoint.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);
    QVERIFY(!endpoint.dtls->isConnectionEncrypted());
    QVERIFY(peer.isClosedByPeer());
}

void Endings::F7_server_answers_close_notify()
{
    answersCloseNotify(QSslSocket::SslServerMode);
}

void Endings::F7_client_answers_close_notify()
{
    answersCloseNotify(QSslSocket::SslClientMode);
}

void Endings::F7_both_sides_close()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    QVERIFY(link.server.dtls->shutdown(&link.server.socket));
    QCOMPARE(takeDatagrams(link.client.socket).size(), 1);
    QCOMPARE(takeDatagrams(link.server.socket).size(), 1);
    for (Endpoint *side : { &link.client, &link.server }) {
        QCOMPARE(side->dtls->dtlsError(), QDtlsError::NoError);
        QCOMPARE(side->dtls->handshakeState(), QDtls::HandshakeNotStarted);
    }
}

} // namespace hardening

#include "endings.moc"
