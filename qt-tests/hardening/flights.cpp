// SPDX-License-Identifier: MIT OR Apache-2.0
//
// I1, I6, I9: the fragments and datagrams of a flight, in its first try and in later ones.
#include "cases.h"
#include "settings.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtCore/QElapsedTimer>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

#include <algorithm>

namespace hardening {

class Flights : public QObject {
    Q_OBJECT
    Q_CLASSINFO("I1_another_try_has_the_same_fragments",
                "a flight that is sent again has the fragments of its first try")
    Q_CLASSINFO("I1_another_try_has_no_more_datagrams",
                "a flight that is sent again has no more datagrams than in its first try")
    Q_CLASSINFO("I6_black_hole_above_600_bytes",
                "a path that drops datagrams over 600 bytes is passed, whatever the hint")
    Q_CLASSINFO("I6_black_hole_above_1280_bytes",
                "a path that drops datagrams over 1280 bytes is passed, whatever the hint")
    Q_CLASSINFO("I9_datagrams_are_full",
                "a plaintext flight has as few datagrams as the MTU allows")

private slots:
    void I1_another_try_has_the_same_fragments();
    void I1_another_try_has_no_more_datagrams();
    void I6_black_hole_above_600_bytes();
    void I6_black_hole_above_1280_bytes();
    void I9_datagrams_are_full();
};

namespace {

const Registered<Flights> registration;

constexpr quint16 hint = 576;
constexpr qsizetype payload = hint - 20 - 8;

// A certificate of 6 KiB.
Identity longChain()
{
    QStringList names { "DNS:bob.example" };
    for (int number = 0; number < 60; ++number)
        names << QStringLiteral("DNS:") + QString(100, QLatin1Char('a')) + QString::number(number);
    return Identity::selfSigned(names.join(QLatin1Char(',')));
}

// A server that has answered a ClientHello.
struct ServersFlight {
    ServersFlight()
    {
        link.server.dtls->setMtuHint(hint);
        link.start();
        link.server.deliver();
        first = takeDatagrams(link.client.socket);
    }

    // The same flight, sent again.
    QByteArrayList repeated()
    {
        QDtls &server = *link.server.dtls;
        QSignalSpy timeout(&server, &QDtls::handshakeTimeout);
        if (!timeout.wait() || !server.handleTimeout(&link.server.socket))
            return {};
        return takeDatagrams(link.client.socket);
    }

    Loopback link { longChain() };
    QByteArrayList first;
};

// Type, length, sequence, offset and length of each fragment.
QByteArrayList fragments(const QByteArrayList &datagrams)
{
    QByteArrayList headers;
    for (const QByteArray &datagram : datagrams) {
        for (const wire::Record &record : wire::records(datagram))
            headers << record.payload.first(wire::handshakeHeaderSize).toHex();
    }
    // Another try may send them in another order (I9).
    std::sort(headers.begin(), headers.end());
    return headers;
}

// A handshake over a path that carries datagrams up to a length only.
void passesBlackHole(qsizetype longest)
{
    const Identity identity = longChain();
    for (const quint16 mtu : { 0, 1400, 1500, 65535 }) {
        Loopback link(identity);
        for (Endpoint *side : { &link.client, &link.server }) {
            if (mtu > 0)
                side->dtls->setMtuHint(mtu);
            side->filter = [longest](const QByteArray &datagram) {
                return datagram.size() > longest ? QByteArrayList {} : QByteArrayList { datagram };
            };
            QObject::connect(side->dtls.get(), &QDtls::handshakeTimeout, side->dtls.get(),
                             [side] { side->dtls->handleTimeout(&side->socket); });
        }
        QElapsedTimer clock;
        clock.start();
        QVERIFY(link.start());
        while (!(link.client.isComplete() && link.server.isComplete()) && !clock.hasExpired(5000)) {
            link.exchange();
            QTest::qWait(10);
        }
        QVERIFY2(link.client.isComplete() && link.server.isComplete(),
                 "hint " + QByteArray::number(mtu) + ": " + link.report());
    }
}

} // namespace

void Flights::I1_another_try_has_the_same_fragments()
{
    ServersFlight flight;
    const QByteArrayList repeated = fragments(flight.repeated());
    QVERIFY(repeated.size() > 10);
    QCOMPARE(repeated, fragments(flight.first));
}

void Flights::I1_another_try_has_no_more_datagrams()
{
    ServersFlight flight;
    const qsizetype repeated = flight.repeated().size();
    QVERIFY(repeated > 0);
    QVERIFY2(repeated <= flight.first.size(),
             QByteArray::number(repeated) + " after " + QByteArray::number(flight.first.size()));
}

void Flights::I6_black_hole_above_600_bytes()
{
    passesBlackHole(600);
}

void Flights::I6_black_hole_above_1280_bytes()
{
    passesBlackHole(1280);
}

void Flights::I9_datagrams_are_full()
{
    const ServersFlight flight;
    const qsizetype sum = flight.first.join().size();
    QVERIFY(sum > 6000);
    QCOMPARE(flight.first.size(), (sum + payload - 1) / payload);
}

} // namespace hardening

#include "flights.moc"
