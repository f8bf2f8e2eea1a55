// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F9, F10, A6, A7: handshake messages that are forged, too long, or cost too much.
#include "cases.h"
#include "settings.h"
#include "pair/cookie_exchange.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtTest/QTest>

#include <malloc.h>

namespace hardening {

class Forged : public QObject {
    Q_OBJECT
    Q_CLASSINFO("F9_cookie_beyond_its_message",
                "a forged HelloVerifyRequest whose cookie is longer than the message is dropped")
    Q_CLASSINFO("F9_bytes_behind_the_cookie",
                "a forged HelloVerifyRequest with bytes after its cookie is dropped")
    Q_CLASSINFO("F9_empty_fragment", "a forged fragment without a byte of its message is dropped")
    Q_CLASSINFO("F9_message_in_the_wrong_place",
                "a forged message that cannot be the next one is dropped")
    Q_CLASSINFO("F9_server_hello_with_a_wrong_length",
                "a forged ServerHello whose session id is longer than the message is dropped")
    Q_CLASSINFO("F10_overlong_chain",
                "a chain that is too long ends the handshake with an error that says so")
    Q_CLASSINFO("A6_forged_records_reserve_little_memory",
                "what anyone can make a client reserve stays below a MiB")
    Q_CLASSINFO("A7_message_sequence",
                "a hello with a cookie is verified only if a handshake can start with it")
    Q_CLASSINFO("A7_byte_behind_the_hello", "a hello with a byte after it in its record is ignored")

private slots:
    void F9_cookie_beyond_its_message();
    void F9_bytes_behind_the_cookie();
    void F9_empty_fragment();
    void F9_message_in_the_wrong_place();
    void F9_server_hello_with_a_wrong_length();
    void F10_overlong_chain();
    void A6_forged_records_reserve_little_memory();
    void A7_message_sequence();
    void A7_byte_behind_the_hello();

private:
    void dropsForgery(quint8 type, quint16 sequence, const QByteArray &body);
    void dropsForgery(const QByteArray &message);
};

namespace {

const Registered<Forged> registration;

constexpr quint8 serverHello = 2;
constexpr quint8 serverHelloDone = 14;

QByteArray record(quint8 type, quint16 epoch, quint64 sequence, const QByteArray &payload)
{
    return wire::Record { type, wire::dtls12, epoch, sequence, payload }.bytes();
}

// A fragment that says how long its message is.
QByteArray fragment(quint8 type, quint16 sequence, int length, const QByteArray &body)
{
    QByteArray message = wire::handshakeMessage(type, sequence, body);
    for (int place = 3; place > 0; --place, length >>= 8)
        message[place] = char(length & 0xff);
    return message;
}

std::size_t allocated()
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

} // namespace

void Forged::dropsForgery(quint8 type, quint16 sequence, const QByteArray &body)
{
    dropsForgery(wire::handshakeMessage(type, sequence, body));
}

// A client gets the forgery before every datagram.
void Forged::dropsForgery(const QByteArray &message)
{
    constexpr quint64 sequence = 40;
    Loopback link(Identity::selfSigned("DNS:bob.example"));
    link.client.filter = [&](const QByteArray &datagram) {
        return QByteArrayList { record(wire::Handshake, 0, sequence, message), datagram };
    };
    VERIFY_HANDSHAKE(link);
}

void Forged::F9_cookie_beyond_its_message()
{
    dropsForgery(wire::HelloVerifyRequest, 0,
                 QByteArray("\xfe\xff\x20"
                            "abc"));
}

void Forged::F9_bytes_behind_the_cookie()
{
    dropsForgery(wire::HelloVerifyRequest, 0,
                 QByteArray("\xfe\xff\x02"
                            "abc"));
}

void Forged::F9_empty_fragment()
{
    dropsForgery(fragment(serverHello, 0, 80, {}));
}

void Forged::F9_message_in_the_wrong_place()
{
    dropsForgery(serverHelloDone, 0, {});
}

void Forged::F9_server_hello_with_a_wrong_length()
{
    dropsForgery(serverHello, 0,
                 QByteArray("\xfe\xfd") + QByteArray(32, 'r') + QByteArray(20, '\x20'));
}

void Forged::F10_overlong_chain()
{
    setRetransmission(20, 20);
    QStringList names { "DNS:bob.example" };
    for (int number = 0; number < 1000; ++number)
        names << QStringLiteral("DNS:") + QString(102, QLatin1Char('a')) + QString::number(number);
    const Identity identity = Identity::selfSigned(names.join(QLatin1Char(',')));
    QVERIFY(!identity.certificate.isNull());
    Loopback link(identity);
    link.server.dtls->setMtuHint(4000);
    QDtls &client = *link.client.dtls;
    connect(&client, &QDtls::handshakeTimeout, this,
            [&] { client.handleTimeout(&link.client.socket); });
    QVERIFY(link.start());
    const auto hasFailed = [&] {
        link.exchange();
        return client.handshakeState() == QDtls::HandshakeNotStarted;
    };
    QVERIFY(QTest::qWaitFor(hasFailed, 5000));
    QCOMPARE(client.dtlsError(), QDtlsError::TlsFatalError);
    const QString text = client.dtlsErrorString();
    QVERIFY2(text.contains("limit") || text.contains("excessive message size"), qPrintable(text));
}

void Forged::A6_forged_records_reserve_little_memory()
{
    Loopback link;
    QVERIFY(link.start());
    const auto give = [&](const QByteArray &forged) {
        link.client.dtls->doHandshake(&link.client.socket, forged);
    };
    give("junk");
    const std::size_t before = allocated();
    for (quint16 sequence = 1; sequence <= 10; ++sequence) {
        give(record(wire::Handshake, 0, sequence,
                    fragment(wire::Certificate, sequence, 100 * 1024, "x")));
    }
    for (quint64 sequence = 0; sequence < 100; ++sequence)
        give(record(wire::ApplicationData, 1, sequence, "x"));
    const std::size_t grown = allocated() - before;
    QVERIFY2(grown <= 1 << 20, QByteArray::number(qulonglong(grown)));
    QCOMPARE(link.client.dtls->handshakeState(), QDtls::HandshakeInProgress);
}

void Forged::A7_message_sequence()
{
    CookieExchange exchange;
    wire::ClientHello hello = exchange.answered(wire::genuineHello());
    QVERIFY(exchange.accepts(hello));
    for (const quint16 sequence : { 0, 2 }) {
        hello.messageSequence = sequence;
        QVERIFY2(!exchange.accepts(hello), QByteArray::number(sequence));
    }
}

void Forged::A7_byte_behind_the_hello()
{
    CookieExchange exchange;
    const wire::ClientHello hello = exchange.answered(wire::genuineHello());
    const QByteArray longer = record(wire::Handshake, 0, 1, hello.message() + '\0');
    QVERIFY(!exchange.verifier.verifyClient(
        &exchange.server, longer, exchange.client.localAddress(), exchange.client.localPort()));
}

} // namespace hardening

#include "forged.moc"
