// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S19, A20: setMtuHint().
#include "cases.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtTest/QTest>

namespace hardening {

class Mtu : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S19_datagrams_fit_the_hint_on_IPv4",
                "headers and payload stay within the hint, IPv4")
    Q_CLASSINFO("S19_datagrams_fit_the_hint_on_IPv6",
                "headers and payload stay within the hint, IPv6")
    Q_CLASSINFO("S19_hint_below_the_minimum", "a hint below 256 is refused with a reason")
    Q_CLASSINFO("A20_no_record_is_cut", "with a large hint each datagram consists of whole records")

private slots:
    void S19_datagrams_fit_the_hint_on_IPv4();
    void S19_datagrams_fit_the_hint_on_IPv6();
    void S19_hint_below_the_minimum();
    void A20_no_record_is_cut();

private:
    void datagramsFit(const QHostAddress &address, int headers);
};

namespace {

const Registered<Mtu> registration;

constexpr quint16 smallestHint = 256;

// Common sizes, and every second one for which the last fragment of some flight may just fit: what
// follows a full fragment in the same datagram counts too.
QList<quint16> hints()
{
    QList<quint16> list { 576, 1280, 1500 };
    for (quint16 hint = smallestHint; hint < 384; hint += 2)
        list << hint;
    return list;
}

} // namespace

void Mtu::datagramsFit(const QHostAddress &address, int headers)
{
    const Identity identity = Identity::selfSigned("DNS:bob.example");
    for (const quint16 hint : hints()) {
        Loopback link(identity, "bob.example", address);
        link.client.dtls->setMtuHint(hint);
        link.server.dtls->setMtuHint(hint);
        VERIFY_HANDSHAKE(link);
        for (const QByteArray &datagram : link.client.received + link.server.received) {
            QVERIFY2(datagram.size() + headers <= hint,
                     QByteArray::number(datagram.size()) + " bytes and headers, hint "
                         + QByteArray::number(hint));
        }
    }
}

void Mtu::S19_datagrams_fit_the_hint_on_IPv4()
{
    datagramsFit(QHostAddress::LocalHost, 20 + 8);
}

void Mtu::S19_datagrams_fit_the_hint_on_IPv6()
{
    datagramsFit(QHostAddress::LocalHostIPv6, 40 + 8);
}

void Mtu::S19_hint_below_the_minimum()
{
    for (const quint16 hint : { quint16(1), quint16(100), quint16(smallestHint - 1) }) {
        Loopback link;
        link.client.dtls->setMtuHint(hint);
        QVERIFY2(!link.start(), QByteArray::number(hint));
        QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::InvalidInputParameters);
        QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
    }
}

void Mtu::A20_no_record_is_cut()
{
    // A certificate of 6 KiB.
    QStringList names { "DNS:bob.example" };
    for (int number = 0; number < 60; ++number)
        names << QStringLiteral("DNS:") + QString(100, QLatin1Char('a')) + QString::number(number);
    const Identity identity = Identity::selfSigned(names.join(QLatin1Char(',')));
    Loopback link(identity);
    link.client.dtls->setMtuHint(65535);
    link.server.dtls->setMtuHint(65535);
    VERIFY_HANDSHAKE(link);
    for (const QByteArray &datagram : link.client.received + link.server.received) {
        qsizetype whole = 0;
        for (const wire::Record &record : wire::records(datagram))
            whole += record.bytes().size();
        QCOMPARE(whole, datagram.size());
    }
}

} // namespace hardening

#include "mtu.moc"
