// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S6, S8, S9, S24, S25, R13, F1: the content of datagrams, genuine and forged.
#include "cases.h"
#include "openssl_peer.h"
#include "settings.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtTest/QTest>

namespace hardening {

class Records : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S6_records_of_one_datagram", "every record of a datagram is returned, in order")
    Q_CLASSINFO("S6_data_then_close_notify",
                "data before a close_notify in one datagram is returned")
    Q_CLASSINFO("S8_unknown_content_type", "a forged record of unknown type is dropped")
    Q_CLASSINFO("S8_bad_version", "a forged record of another version is dropped")
    Q_CLASSINFO("S8_application_data_in_epoch_0", "forged plaintext application data is dropped")
    Q_CLASSINFO("S8_bad_change_cipher_spec",
                "a forged ChangeCipherSpec with a wrong body is dropped")
    Q_CLASSINFO("S8_fragment_beyond_its_message",
                "a forged fragment that ends after its message is dropped")
    Q_CLASSINFO("S8_fragment_beyond_its_record",
                "a forged fragment that ends after its record is dropped")
    Q_CLASSINFO("S8_short_handshake_header", "a forged record too short for its header is dropped")
    Q_CLASSINFO("S8_truncated_record", "a forged record that ends after its datagram is dropped")
    Q_CLASSINFO("S8_high_sequence_number",
                "a dropped record does not move the window against replay")
    Q_CLASSINFO("S8_forged_fatal_alert",
                "by default a plaintext fatal alert ends a handshake at once")
    Q_CLASSINFO("S8_forged_fatal_alert_strict",
                "QDTLS_STRICT_ALERTS=1 ignores plaintext fatal alerts")
    Q_CLASSINFO("S8_forged_early_data_reserves_no_memory",
                "data forged during a handshake does not make a result of any size")
    Q_CLASSINFO("S8_short_record_on_a_connection",
                "a forged record too short for its cipher does not end a connection")
    Q_CLASSINFO("S9_fatal_alert_on_a_connection",
                "a peer's fatal alert ends the connection as an error")
    Q_CLASSINFO("S24_rest_of_an_oversized_datagram",
                "the part of a datagram beyond a read is not parsed as a datagram")
    Q_CLASSINFO("S25_zero_length_write", "writing nothing is refused with a reason")
    Q_CLASSINFO("R13_write_beyond_a_record",
                "a write that no record can hold is refused and does no harm")

    Q_CLASSINFO("F1_write_beyond_the_negotiated_length",
                "a write that the peer's max_fragment_length forbids is refused and does no harm")

private slots:
    void S6_records_of_one_datagram();
    void S6_data_then_close_notify();
    void S8_unknown_content_type();
    void S8_bad_version();
    void S8_application_data_in_epoch_0();
    void S8_bad_change_cipher_spec();
    void S8_fragment_beyond_its_message();
    void S8_fragment_beyond_its_record();
    void S8_short_handshake_header();
    void S8_truncated_record();
    void S8_high_sequence_number();
    void S8_forged_fatal_alert();
    void S8_forged_fatal_alert_strict();
    void S8_forged_early_data_reserves_no_memory();
    void S8_short_record_on_a_connection();
    void S9_fatal_alert_on_a_connection();
    void S24_rest_of_an_oversized_datagram();
    void S25_zero_length_write();
    void R13_write_beyond_a_record();
    void F1_write_beyond_the_negotiated_length();

private:
    void dropsForgery(const QByteArray &forgery);
};

namespace {

const Registered<Records> registration;

// A sequence number within the replay window that no genuine record of these handshakes reaches.
constexpr quint64 forgedSequence = 40;
constexpr quint8 fatal = 2;
constexpr quint8 handshakeFailure = 40;

QByteArray forged(quint8 type, const QByteArray &payload)
{
    return wire::Record { type, wire::dtls12, 0, forgedSequence, payload }.bytes();
}

// A Certificate message with a false header: it announces `length` bytes in all and `fragment`
// bytes here, where there are 4.
QByteArray lyingHandshake(char length, char fragment)
{
    QByteArray message = wire::handshakeMessage(wire::Certificate, 2, "body");
    message[3] = length;
    message[11] = fragment;
    return message;
}

// The datagrams that `endpoint` sends for each of `plains`.
QByteArrayList encrypted(Endpoint &endpoint, QUdpSocket &receiver, const QByteArrayList &plains)
{
    for (const QByteArray &plain : plains)
        endpoint.dtls->writeDatagramEncrypted(&endpoint.socket, plain);
    return takeDatagrams(receiver);
}

// Introduces a server with a certificate and a client to each other.
void introduce(Endpoint &server, OpenSslPeer &client)
{
    server.setConfiguration(serverConfiguration(Identity::selfSigned("DNS:bob.example")));
    server.dtls->setPeer(client.socket.localAddress(), client.socket.localPort());
    client.setPeer(server.socket);
}

} // namespace

// An attacker adds the forgery to all that arrives: on the client's side before each datagram, on
// the server's after it, so that the server's first is a ClientHello.
void Records::dropsForgery(const QByteArray &forgery)
{
    Loopback link(Identity::selfSigned("DNS:bob.example"));
    link.client.filter = [&](const QByteArray &datagram) {
        return QByteArrayList { forgery, datagram };
    };
    link.server.filter = [&](const QByteArray &datagram) {
        return QByteArrayList { datagram, forgery };
    };
    VERIFY_HANDSHAKE(link);

    QVERIFY(link.client.dtls->writeDatagramEncrypted(&link.client.socket, "hello") > 0);
    link.exchange();
    QCOMPARE(link.server.plain, "hello");
}

void Records::S6_records_of_one_datagram()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    const QByteArrayList datagrams =
        encrypted(link.client, link.server.socket, { "one ", "two ", "three" });
    QCOMPARE(datagrams.size(), 3);
    QCOMPARE(link.server.dtls->decryptDatagram(&link.server.socket, datagrams.join()),
             "one two three");
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::NoError);

    const QByteArrayList next = encrypted(link.client, link.server.socket, { "four" });
    QCOMPARE(link.server.dtls->decryptDatagram(&link.server.socket, next.value(0)), "four");
}

void Records::S6_data_then_close_notify()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    QByteArrayList datagrams = encrypted(link.client, link.server.socket, { "last words" });
    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    datagrams += takeDatagrams(link.server.socket);
    QCOMPARE(datagrams.size(), 2);

    QCOMPARE(link.server.dtls->decryptDatagram(&link.server.socket, datagrams.join()),
             "last words");
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);
    QCOMPARE(link.server.dtls->handshakeState(), QDtls::HandshakeNotStarted);
    QVERIFY(!link.server.dtls->isConnectionEncrypted());
}

void Records::S8_unknown_content_type()
{
    dropsForgery(forged(99, "forged"));
}

void Records::S8_bad_version()
{
    dropsForgery(wire::Record { wire::Handshake, 0x0303, 0, forgedSequence, "forged" }.bytes());
}

void Records::S8_application_data_in_epoch_0()
{
    dropsForgery(forged(wire::ApplicationData, "forged"));
}

void Records::S8_bad_change_cipher_spec()
{
    dropsForgery(forged(wire::ChangeCipherSpec, "forged"));
}

void Records::S8_fragment_beyond_its_message()
{
    dropsForgery(forged(wire::Handshake, lyingHandshake(2, 4)));
}

void Records::S8_fragment_beyond_its_record()
{
    dropsForgery(forged(wire::Handshake, lyingHandshake(40, 40)));
}

void Records::S8_short_handshake_header()
{
    dropsForgery(forged(wire::Handshake, QByteArray(wire::handshakeHeaderSize - 1, '\1')));
}

void Records::S8_truncated_record()
{
    dropsForgery(forged(wire::Handshake, "a record that is cut").chopped(6));
}

void Records::S8_high_sequence_number()
{
    constexpr quint64 highest = (quint64(1) << 48) - 1;
    dropsForgery(wire::Record { 99, wire::dtls12, 0, highest, "forged" }.bytes());
}

void Records::S8_forged_fatal_alert()
{
    Loopback link;
    QVERIFY(link.start());
    QVERIFY(!link.client.dtls->doHandshake(&link.client.socket,
                                           wire::plaintextAlert(fatal, handshakeFailure)));
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::TlsFatalError);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
    QCOMPARE(link.client.dtls->handshakeState(), QDtls::HandshakeNotStarted);
}

void Records::S8_forged_fatal_alert_strict()
{
    setBackend("QDTLS_STRICT_ALERTS", 1);
    dropsForgery(wire::plaintextAlert(fatal, handshakeFailure));
}

void Records::S8_short_record_on_a_connection()
{
    Loopback link(Identity::selfSigned("DNS:bob.example"));
    VERIFY_HANDSHAKE(link);
    for (int length = 0; length < 40; ++length) {
        const QByteArray forgery = wire::Record { wire::ApplicationData, wire::dtls12, 1,
                                                  forgedSequence, QByteArray(length, 'x') }
                                       .bytes();
        QCOMPARE(link.server.dtls->decryptDatagram(&link.server.socket, forgery), QByteArray());
        QVERIFY2(link.server.isComplete(), QByteArray::number(length) + ": " + link.report());
    }
    link.client.dtls->writeDatagramEncrypted(&link.client.socket, "hello");
    link.exchange();
    QCOMPARE(link.server.plain, "hello");
}

void Records::S8_forged_early_data_reserves_no_memory()
{
    Loopback link;
    QVERIFY(link.start());
    QVERIFY(waitForDatagram(link.server.socket, link.client.socket));
    link.server.deliver();
    // Not yet authenticated: anyone can send records of the epoch to come.
    wire::Record forgery;
    forgery.type = wire::ApplicationData;
    forgery.epoch = 1;
    forgery.payload = QByteArray(1 << 14, 'x');
    const QByteArray datagram = forgery.bytes() + forgery.bytes() + forgery.bytes();
    for (int i = 0; i < 500; ++i)
        link.server.process(datagram);
    link.exchange();
    QVERIFY2(link.client.isComplete() && link.server.isComplete(), link.report());

    const QByteArray junk(20, 'x');
    const QByteArray plain = link.server.dtls->decryptDatagram(&link.server.socket, junk);
    QVERIFY(plain.isEmpty());
    QVERIFY2(plain.capacity() <= 1024, QByteArray::number(plain.capacity()));
}

// OpenSSL as the client answers a malformed ChangeCipherSpec with a fatal alert. It has sent its
// own Finished by then, so the alert is encrypted and the server is complete.
void Records::S9_fatal_alert_on_a_connection()
{
    Endpoint server(QSslSocket::SslServerMode, QHostAddress::LocalHost);
    OpenSslPeer client(OpenSslPeer::Side::Client);
    introduce(server, client);
    client.advance();
    for (int flight = 0; flight < 4 && !server.isComplete(); ++flight) {
        server.deliver();
        if (!server.isComplete())
            client.deliver();
    }
    QVERIFY2(server.isComplete(), server.report());
    client.process(forged(wire::ChangeCipherSpec, "forged"));
    QVERIFY(server.deliver());

    QCOMPARE(server.dtls->dtlsError(), QDtlsError::TlsFatalError);
    QVERIFY(!server.dtls->dtlsErrorString().isEmpty());
    QVERIFY(!server.dtls->isConnectionEncrypted());
    QCOMPARE(server.dtls->handshakeState(), QDtls::HandshakeNotStarted);
}

// A genuine record stands behind garbage that no parser can step over: its first header announces
// more bytes than there are. OpenSSL's read buffer ends somewhere in the range that is tried.
void Records::S24_rest_of_an_oversized_datagram()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    constexpr int smallestBuffer = 16384;
    constexpr int largestBuffer = smallestBuffer + 512;
    for (int size = smallestBuffer; size <= largestBuffer; ++size) {
        const QByteArray record =
            encrypted(link.client, link.server.socket, { "smuggled" }).value(0);
        const QByteArray datagram = QByteArray(size, '\xff') + record;
        const QByteArray plain = link.server.dtls->decryptDatagram(&link.server.socket, datagram);
        QVERIFY2(plain.isEmpty(), "a record at offset " + QByteArray::number(size) + " was read");
    }
    const QByteArray honest = encrypted(link.client, link.server.socket, { "honest" }).value(0);
    QCOMPARE(link.server.dtls->decryptDatagram(&link.server.socket, honest), "honest");
}

void Records::S25_zero_length_write()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    QCOMPARE(link.client.dtls->writeDatagramEncrypted(&link.client.socket, {}), -1);
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::InvalidInputParameters);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
    QVERIFY(link.client.isComplete());
}

void Records::R13_write_beyond_a_record()
{
    constexpr int largestRecord = 16384;
    Loopback link;
    VERIFY_HANDSHAKE(link);
    const QByteArray tooLarge(largestRecord + 1, 'x');
    QCOMPARE(link.client.dtls->writeDatagramEncrypted(&link.client.socket, tooLarge), -1);
    QVERIFY(link.client.dtls->dtlsError() != QDtlsError::NoError);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());

    const QByteArray largest(largestRecord, 'x');
    QCOMPARE(link.client.dtls->writeDatagramEncrypted(&link.client.socket, largest), largestRecord);
    link.exchange();
    QCOMPARE(link.server.plain, largest);
}

void Records::F1_write_beyond_the_negotiated_length()
{
    constexpr int longest = 512;
    Endpoint server(QSslSocket::SslServerMode, QHostAddress::LocalHost);
    OpenSslPeer client(OpenSslPeer::Side::Client);
    introduce(server, client);
    client.limitFragments(TLSEXT_max_fragment_length_512);
    client.advance();
    exchange(client, server);
    QVERIFY2(server.isComplete() && client.isComplete(), server.report());

    const QByteArray tooLong(longest + 1, 'x');
    QCOMPARE(server.dtls->writeDatagramEncrypted(&server.socket, tooLong), -1);
    QVERIFY(server.dtls->dtlsErrorString().contains(QString::number(longest)));
    QVERIFY(server.isComplete());
    const QByteArray fits(longest, 'x');
    QCOMPARE(server.dtls->writeDatagramEncrypted(&server.socket, fits), longest);
    exchange(client, server);
    QCOMPARE(client.plain, fits);
}

} // namespace hardening

#include "records.moc"
