// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S10, S18, S31, S33, R2, F13: the errors of QDtls and of the verifier, and their texts.
#include "cases.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtTest/QTest>

#include <sys/socket.h>

namespace hardening {

class Errors : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S10_junk_to_verifier_does_not_poison_connection",
                "junk sent to a verifier does not change how another connection ends")
    Q_CLASSINFO("S10_failed_handshake_does_not_poison_connection",
                "a failed handshake does not change how another connection ends")
    Q_CLASSINFO("S10_verifier_errors_have_texts",
                "no junk makes a verifier report an error without text")
    Q_CLASSINFO("S10_failed_handshake_has_text", "a failed handshake says why, on both sides")
    Q_CLASSINFO("S18_handshake_that_cannot_send",
                "a client that cannot send reports the socket's error")
    Q_CLASSINFO("S18_answer_that_cannot_be_sent",
                "a server that cannot send reports the socket's error")
    Q_CLASSINFO("S31_verifier_that_cannot_send",
                "a verifier that cannot send reports the socket's error")
    Q_CLASSINFO("S33_refused_write",
                "an ICMP refusal is a socket error and the connection stays usable")
    Q_CLASSINFO("R2_wrong_protocol_has_text", "a configuration without DTLS fails with a reason")
    Q_CLASSINFO("R2_wrong_key_has_text", "a key of another certificate fails with a reason")
    Q_CLASSINFO("F13_message_over_a_record",
                "a message that fits into no record is invalid input, and nothing has failed")

private slots:
    void S10_junk_to_verifier_does_not_poison_connection();
    void S10_failed_handshake_does_not_poison_connection();
    void S10_verifier_errors_have_texts();
    void S10_failed_handshake_has_text();
    void S18_handshake_that_cannot_send();
    void S18_answer_that_cannot_be_sent();
    void S31_verifier_that_cannot_send();
    void S33_refused_write();
    void R2_wrong_protocol_has_text();
    void R2_wrong_key_has_text();
    void F13_message_over_a_record();
};

namespace {

const Registered<Errors> registration;

constexpr quint16 somePort = 4433;

// The broadcast address of the loopback network, to which the system refuses to send without leave.
const QHostAddress broadcast(0x7fffffff);

// Qt gives each socket leave.
void forbidBroadcast(const QUdpSocket &socket)
{
    const int allowed = 0;
    setsockopt(int(socket.socketDescriptor()), SOL_SOCKET, SO_BROADCAST, &allowed, sizeof allowed);
}

// Datagrams anyone can send to a server's port.
QByteArrayList junkDatagrams()
{
    const QByteArray hello = wire::genuineHello().datagram();
    return { "junk",
             QByteArray(64, '\0'),
             QByteArray(64, '\xff'),
             hello.chopped(20),
             hello.left(wire::recordHeaderSize),
             wire::plaintextAlert(2, 40),
             wire::Record { wire::ApplicationData, wire::dtls12, 0, 0, "junk" }.bytes(),
             wire::Record { wire::Handshake, wire::dtls12, 0, 0,
                            wire::handshakeMessage(wire::ClientHelloType, 0, "junk") }
                 .bytes(),
             wire::Record { wire::Handshake, 0x0303, 0, 0, "junk" }.bytes() };
}

// The client closes; the server must see exactly that.
#define VERIFY_CLOSE_IS_SEEN(link)                                                                 \
    link.exchange();                                                                               \
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);              \
    QVERIFY(!link.server.dtls->isConnectionEncrypted());                                           \
    QCOMPARE(link.server.dtls->handshakeState(), QDtls::HandshakeNotStarted)

} // namespace

void Errors::S10_junk_to_verifier_does_not_poison_connection()
{
    const QByteArrayList junk = junkDatagrams();
    for (const QByteArray &datagram : junk) {
        Loopback link;
        VERIFY_HANDSHAKE(link);
        QVERIFY(link.client.dtls->shutdown(&link.client.socket));

        QUdpSocket socket;
        QVERIFY(socket.bind(QHostAddress::LocalHost));
        QDtlsClientVerifier verifier;
        QVERIFY(!verifier.verifyClient(&socket, datagram, QHostAddress::LocalHost,
                                       link.client.socket.localPort()));
        VERIFY_CLOSE_IS_SEEN(link);
    }
}

void Errors::S10_failed_handshake_does_not_poison_connection()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);

    Loopback failing;
    failing.client.usePsk({});
    QVERIFY(!failing.handshake());

    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    VERIFY_CLOSE_IS_SEEN(link);
}

void Errors::S10_verifier_errors_have_texts()
{
    QUdpSocket socket;
    QVERIFY(socket.bind(QHostAddress::LocalHost));
    QUdpSocket client;
    QVERIFY(client.bind(QHostAddress::LocalHost));
    QDtlsClientVerifier verifier;
    const QByteArrayList junk = junkDatagrams();
    for (int i = 0; i < junk.size(); ++i) {
        QVERIFY(
            !verifier.verifyClient(&socket, junk.at(i), client.localAddress(), client.localPort()));
        QVERIFY2(verifier.dtlsError() == QDtlsError::NoError
                     || !verifier.dtlsErrorString().isEmpty(),
                 "junk number " + QByteArray::number(i));
    }
}

void Errors::S10_failed_handshake_has_text()
{
    Loopback link;
    link.client.usePsk({});
    QVERIFY(!link.handshake());
    for (const Endpoint *endpoint : { &link.client, &link.server }) {
        QVERIFY2(endpoint->failed, link.report());
        QCOMPARE(endpoint->dtls->dtlsError(), QDtlsError::TlsFatalError);
        QVERIFY(!endpoint->dtls->dtlsErrorString().isEmpty());
    }
}

void Errors::S18_handshake_that_cannot_send()
{
    Loopback link;
    forbidBroadcast(link.client.socket);
    QVERIFY(link.client.dtls->setPeer(broadcast, somePort));
    QVERIFY(!link.start());
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::UnderlyingSocketError);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
}

void Errors::S18_answer_that_cannot_be_sent()
{
    Loopback link;
    forbidBroadcast(link.server.socket);
    QVERIFY(link.server.dtls->setPeer(broadcast, somePort));
    QVERIFY(!link.handshake());
    QVERIFY2(link.server.failed, link.server.report());
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::UnderlyingSocketError);
    QVERIFY(!link.server.dtls->dtlsErrorString().isEmpty());
}

void Errors::S31_verifier_that_cannot_send()
{
    QUdpSocket socket;
    QVERIFY(socket.bind(QHostAddress::LocalHost));
    forbidBroadcast(socket);
    QDtlsClientVerifier verifier;
    QVERIFY(!verifier.verifyClient(&socket, wire::genuineHello().datagram(), broadcast, somePort));
    QCOMPARE(verifier.dtlsError(), QDtlsError::UnderlyingSocketError);
    QVERIFY(!verifier.dtlsErrorString().isEmpty());
}

void Errors::S33_refused_write()
{
    Loopback link;
    const quint16 serverPort = link.server.socket.localPort();
    link.client.socket.connectToHost(QHostAddress(QHostAddress::LocalHost), serverPort);
    QVERIFY(link.client.socket.waitForConnected());
    link.server.dtls->setPeer(QHostAddress::LocalHost, link.client.socket.localPort());
    VERIFY_HANDSHAKE(link);

    // The first write meets a closed port; the second gets the ICMP refusal.
    link.server.socket.close();
    QDtls &client = *link.client.dtls;
    QCOMPARE(client.writeDatagramEncrypted(&link.client.socket, "one"), 3);
    QCOMPARE(client.writeDatagramEncrypted(&link.client.socket, "two"), -1);
    QCOMPARE(client.dtlsError(), QDtlsError::UnderlyingSocketError);
    QVERIFY(!client.dtlsErrorString().isEmpty());
    QVERIFY(link.client.isComplete());

    QVERIFY(link.server.socket.bind(QHostAddress::LocalHost, serverPort));
    QCOMPARE(client.writeDatagramEncrypted(&link.client.socket, "three"), 5);
    link.exchange();
    QCOMPARE(link.server.plain, "three");
}

void Errors::R2_wrong_protocol_has_text()
{
    Loopback link;
    link.client.setConfiguration(QSslConfiguration::defaultConfiguration());
    QVERIFY(!link.start());
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::TlsInitializationError);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
}

void Errors::R2_wrong_key_has_text()
{
    Identity mixed = Identity::selfSigned("DNS:bob.example");
    mixed.key = Identity::selfSigned("DNS:eve.example").key;
    Loopback link(mixed);
    QVERIFY(!link.handshake());
    QVERIFY(link.server.failed);
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::TlsInitializationError);
    QVERIFY(!link.server.dtls->dtlsErrorString().isEmpty());
}

void Errors::F13_message_over_a_record()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    QDtls &client = *link.client.dtls;
    for (const qsizetype size : { 16385, 20'000, 100'000 }) {
        const QByteArray message(size, 'm');
        QCOMPARE(client.writeDatagramEncrypted(&link.client.socket, message), -1);
        QCOMPARE(client.dtlsError(), QDtlsError::InvalidInputParameters);
        QVERIFY(!client.dtlsErrorString().isEmpty());
        QVERIFY(link.client.isComplete());
    }
    QCOMPARE(client.writeDatagramEncrypted(&link.client.socket, "fits"), 4);
    link.exchange();
    QCOMPARE(link.server.plain, "fits");
}

} // namespace hardening

#include "errors.moc"
