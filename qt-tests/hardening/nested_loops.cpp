// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F2: slots that run an event loop, for an asynchronous look-up of a key for example, while QDtls
// is at work below them.
#include "cases.h"
#include "settings.h"
#include "slots.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtCore/QTimer>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

namespace hardening {

class NestedLoops : public QObject {
    Q_OBJECT
    Q_CLASSINFO("F2_event_loop_in_pskRequired",
                "handshakeTimeout is not emitted while a slot of the client's pskRequired runs an "
                "event loop, and the handshake completes")
    Q_CLASSINFO("F2_event_loop_in_pskRequired_of_server",
                "handshakeTimeout is not emitted while a slot of the server's pskRequired runs an "
                "event loop, and the handshake completes")
    Q_CLASSINFO("F2_event_loop_in_bytesWritten",
                "handshakeTimeout is emitted after an event loop in a slot of bytesWritten, not in "
                "it")
    Q_CLASSINFO("F2_event_loop_in_bytesWritten_of_a_retransmission",
                "handshakeTimeout is emitted after an event loop while a flight is resent, not in "
                "it")
    Q_CLASSINFO("F2_event_loop_in_handshakeTimeout",
                "an event loop in a slot of handshakeTimeout gets no second signal")
    Q_CLASSINFO("F2_event_loop_in_readyRead",
                "a handshake completes whose datagrams wait for event loops in slots of readyRead")
    Q_CLASSINFO("F2_datagrams_in_the_event_loop",
                "datagrams that come in an event loop in a slot are refused, and resent")
    Q_CLASSINFO("F2_handleTimeout_in_the_event_loop",
                "handleTimeout is refused in an event loop in a slot of pskRequired")
    Q_CLASSINFO("F2_new_handshake_in_the_event_loop",
                "a handshake that begins in an event loop in a slot has a timer there")
    Q_CLASSINFO("F2_abort_in_the_event_loop", "abortHandshake in an event loop in any slot")
    Q_CLASSINFO("F2_delete_in_the_event_loop", "QDtls is deleted in an event loop in any slot")
    Q_CLASSINFO("F2_other_clients_in_the_event_loop",
                "a verifier serves other clients in an event loop in a slot of bytesWritten")
    Q_CLASSINFO("F2_delete_verifier_in_the_event_loop",
                "the verifier is deleted in an event loop in a slot of bytesWritten")
    Q_CLASSINFO("F2_authenticators_keep_their_hint",
                "the hint in a copied authenticator outlives another request for a key")

private slots:
    void initTestCase();

    void F2_event_loop_in_pskRequired();
    void F2_event_loop_in_pskRequired_of_server();
    void F2_event_loop_in_bytesWritten();
    void F2_event_loop_in_bytesWritten_of_a_retransmission();
    void F2_event_loop_in_handshakeTimeout();
    void F2_event_loop_in_readyRead();
    void F2_datagrams_in_the_event_loop();
    void F2_handleTimeout_in_the_event_loop();
    void F2_new_handshake_in_the_event_loop();
    void F2_abort_in_the_event_loop();
    void F2_delete_in_the_event_loop();
    void F2_other_clients_in_the_event_loop();
    void F2_delete_verifier_in_the_event_loop();
    void F2_authenticators_keep_their_hint();
};

namespace {

const Registered<NestedLoops> registration;

// Longer than the first interval, also stock's fixed one of a second.
constexpr int loopMs = 1300;
// For slots in which no timer is waited for.
constexpr int shortLoopMs = 50;

void runEventLoop(int ms = loopMs)
{
    QTest::qWait(ms);
}

// Counts handshakeTimeout, in an event loop of a slot and outside, and handles it.
struct Timeouts {
    explicit Timeouts(Endpoint &endpoint)
    {
        QObject::connect(endpoint.dtls.get(), &QDtls::handshakeTimeout, &endpoint.socket,
                         [this, &endpoint] {
                             ++(inSlot ? during : after);
                             endpoint.dtls->handleTimeout(&endpoint.socket);
                         });
    }

    // An event loop in a slot.
    void wait(int ms = loopMs)
    {
        inSlot = true;
        runEventLoop(ms);
        inSlot = false;
    }

    bool inSlot = false;
    int during = 0;
    int after = 0;
};

// Both sides as an application has them: datagrams and timeouts are handled when they are
// signalled.
struct LivelyLink : Loopback {
    // Slots of readyRead call `delay` before they look at the datagram.
    explicit LivelyLink(const std::function<void()> &delay = [] {})
    {
        for (Endpoint *endpoint : { &client, &server }) {
            QObject::connect(&endpoint->socket, &QUdpSocket::readyRead, &endpoint->socket,
                             [endpoint, delay] {
                                 delay();
                                 endpoint->deliver();
                             });
            QObject::connect(endpoint->dtls.get(), &QDtls::handshakeTimeout, &endpoint->socket,
                             [endpoint] { endpoint->dtls->handleTimeout(&endpoint->socket); });
        }
    }

    bool isComplete() const { return client.isComplete() && server.isComplete(); }
};

// The slots from which a client's event loop can run, each with the way to it.
enum class Slot { PskRequired, BytesWritten, Retransmission, HandshakeTimeout, ReadyRead };
constexpr Slot everySlot[] = { Slot::PskRequired, Slot::BytesWritten, Slot::Retransmission,
                               Slot::HandshakeTimeout, Slot::ReadyRead };

// Runs a client's handshake until `action` has run in such a slot.
void runInSlot(Slot slot, LivelyLink &link, const std::function<void()> &action)
{
    Endpoint &client = link.client;
    bool done = false;
    const auto act = [&done, action] {
        if (!done) // also true in a loop in the loop
            action();
        done = true;
    };
    QObject guard;
    if (slot == Slot::PskRequired)
        QObject::connect(client.dtls.get(), &QDtls::pskRequired, &guard, act);
    if (slot == Slot::BytesWritten)
        QObject::connect(&client.socket, &QUdpSocket::bytesWritten, &guard, act);
    if (slot == Slot::HandshakeTimeout)
        QObject::connect(client.dtls.get(), &QDtls::handshakeTimeout, &guard, act);
    if (slot == Slot::ReadyRead)
        QObject::connect(&client.socket, &QUdpSocket::readyRead, &guard, act);
    if (slot == Slot::Retransmission || slot == Slot::HandshakeTimeout)
        link.server.filter = [](const QByteArray &) { return QByteArrayList(); };
    link.start();
    if (slot == Slot::Retransmission)
        QObject::connect(&client.socket, &QUdpSocket::bytesWritten, &guard, act);
    QTRY_VERIFY_WITH_TIMEOUT(done, 5000);
}

} // namespace

void NestedLoops::initTestCase()
{
    overwriteFreedMemory();
    setRetransmission(100, 400);
}

void NestedLoops::F2_event_loop_in_pskRequired()
{
    Loopback link;
    Timeouts timeouts(link.client);
    onPskRequired(link.client, [&] { timeouts.wait(); });
    VERIFY_HANDSHAKE(link);
    QCOMPARE(timeouts.during, 0);
}

void NestedLoops::F2_event_loop_in_pskRequired_of_server()
{
    Loopback link;
    Timeouts timeouts(link.server);
    onPskRequired(link.server, [&] { timeouts.wait(); });
    VERIFY_HANDSHAKE(link);
    QCOMPARE(timeouts.during, 0);
}

void NestedLoops::F2_event_loop_in_bytesWritten()
{
    Loopback link;
    Timeouts timeouts(link.client);
    onNextSend(link.client, [&] { timeouts.wait(); });
    QVERIFY(link.start());
    QCOMPARE(timeouts.during, 0);
    takeDatagrams(link.server.socket);

    QTRY_VERIFY(timeouts.after > 0);
    QVERIFY(!takeDatagrams(link.server.socket).isEmpty());
}

void NestedLoops::F2_event_loop_in_bytesWritten_of_a_retransmission()
{
    Loopback link;
    QSignalSpy expired(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QVERIFY(link.start());
    QVERIFY(expired.wait());
    takeDatagrams(link.server.socket);

    Timeouts timeouts(link.client);
    onNextSend(link.client, [&] { timeouts.wait(); });
    QVERIFY(link.client.dtls->handleTimeout(&link.client.socket));
    QCOMPARE(timeouts.during, 0);
    QTRY_VERIFY(timeouts.after > 0);
    QVERIFY(!takeDatagrams(link.server.socket).isEmpty());
}

void NestedLoops::F2_event_loop_in_handshakeTimeout()
{
    Loopback link;
    int timeouts = 0;
    connect(link.client.dtls.get(), &QDtls::handshakeTimeout, this, [&] {
        if (++timeouts == 1)
            runEventLoop();
    });
    QVERIFY(link.start());
    takeDatagrams(link.server.socket);
    QTRY_COMPARE(timeouts, 1);
    QVERIFY(link.client.dtls->handleTimeout(&link.client.socket));
    QVERIFY(!takeDatagrams(link.server.socket).isEmpty());
    QTRY_COMPARE(timeouts, 2);
}

void NestedLoops::F2_event_loop_in_readyRead()
{
    LivelyLink link([] { runEventLoop(shortLoopMs); });
    QVERIFY(link.start());
    QTRY_VERIFY2_WITH_TIMEOUT(link.isComplete(), link.report(), 8000);
}

void NestedLoops::F2_datagrams_in_the_event_loop()
{
    LivelyLink link;
    int refused = 0;
    bool inSlot = false;
    onNextSend(link.client, [&] {
        inSlot = true;
        QTest::qWaitFor([&] { return refused > 0; });
        inSlot = false;
    });
    link.client.filter = [&](const QByteArray &datagram) {
        if (!inSlot)
            return QByteArrayList { datagram };
        if (!link.client.dtls->doHandshake(&link.client.socket, datagram))
            ++refused;
        return QByteArrayList();
    };
    QVERIFY(link.start());
    QVERIFY(refused > 0);
    QTRY_VERIFY2_WITH_TIMEOUT(link.isComplete(), link.report(), 8000);
}

void NestedLoops::F2_handleTimeout_in_the_event_loop()
{
    Loopback link;
    int accepted = 0;
    int refused = 0;
    QTimer impatient;
    connect(&impatient, &QTimer::timeout, this,
            [&] { ++(link.client.dtls->handleTimeout(&link.client.socket) ? accepted : refused); });
    onPskRequired(link.client, [&] {
        impatient.start(10);
        runEventLoop(300);
        impatient.stop();
    });
    VERIFY_HANDSHAKE(link);
    QCOMPARE(accepted, 0);
    QVERIFY(refused > 0);
}

void NestedLoops::F2_new_handshake_in_the_event_loop()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    Timeouts timeouts(link.client);
    onNextSend(link.client, [&] {
        QVERIFY(link.client.dtls->shutdown(&link.client.socket));
        QVERIFY(link.start());
        timeouts.wait();
    });
    link.client.dtls->writeDatagramEncrypted(&link.client.socket, "last words");
    QVERIFY(timeouts.during > 0);
    QVERIFY(link.server.dtls->shutdown(&link.server.socket));
    takeDatagrams(link.server.socket);

    QTRY_VERIFY(timeouts.after > 0);
    link.exchange();
    QVERIFY2(link.client.isComplete() && link.server.isComplete(), link.report());
}

void NestedLoops::F2_abort_in_the_event_loop()
{
    for (const Slot slot : everySlot) {
        LivelyLink link;
        QDtls &dtls = *link.client.dtls;
        int afterwards = 0;
        runInSlot(slot, link, [&] {
            QTimer::singleShot(0, &dtls, [&] {
                dtls.abortHandshake(&link.client.socket);
                // The server's answer, if it comes after the slot, would start a handshake.
                link.client.failed = true;
                connect(&dtls, &QDtls::handshakeTimeout, this, [&] { ++afterwards; });
            });
            runEventLoop(shortLoopMs);
        });
        runEventLoop(shortLoopMs);
        QVERIFY2(dtls.handshakeState() == QDtls::HandshakeNotStarted,
                 QByteArray::number(int(slot)));
        QCOMPARE(afterwards, 0);
    }
}

void NestedLoops::F2_delete_in_the_event_loop()
{
    for (const Slot slot : everySlot) {
        LivelyLink link;
        runInSlot(slot, link, [&] {
            QTimer::singleShot(0, &link.client.socket, [&] { link.client.dtls.reset(); });
            runEventLoop(shortLoopMs);
        });
        runEventLoop(shortLoopMs);
        QVERIFY2(!link.client.dtls, QByteArray::number(int(slot)));
    }
}

void NestedLoops::F2_other_clients_in_the_event_loop()
{
    Loopback link;
    const QByteArray hello = wire::genuineHello().datagram();
    QDtlsClientVerifier verifier;
    bool acceptedInner = true;
    onNextSend(link.server, [&] {
        QTimer::singleShot(0, &link.server.socket, [&] {
            acceptedInner = link.server.verify(verifier, wire::genuineHello().datagram());
        });
        runEventLoop(shortLoopMs);
    });
    QVERIFY(!link.server.verify(verifier, hello));
    QVERIFY(!acceptedInner);
    const QByteArrayList answers = takeDatagrams(link.client.socket);
    QCOMPARE(answers.size(), 2);
    for (const QByteArray &answer : answers)
        QVERIFY(!wire::cookieIn(answer).isEmpty());
}

void NestedLoops::F2_delete_verifier_in_the_event_loop()
{
    Loopback link;
    const QByteArray hello = wire::genuineHello().datagram();
    auto verifier = std::make_unique<QDtlsClientVerifier>();
    onNextSend(link.server, [&] {
        QTimer::singleShot(0, &link.server.socket, [&] { verifier.reset(); });
        runEventLoop(shortLoopMs);
    });
    QVERIFY(!link.server.verify(*verifier, hello));
    QVERIFY(!verifier);
}

void NestedLoops::F2_authenticators_keep_their_hint()
{
    const QByteArray hints[] = { "the hint of the first server", "another" };
    Loopback link;
    QList<QSslPreSharedKeyAuthenticator> kept;
    onPskRequired(link.client, [&](QSslPreSharedKeyAuthenticator *request) { kept << *request; });
    for (const QByteArray &hint : hints) {
        QSslConfiguration configuration = link.server.dtls->dtlsConfiguration();
        configuration.setPreSharedKeyIdentityHint(hint);
        link.server.setConfiguration(configuration);
        link.server.renew();
        link.client.dtls->shutdown(&link.client.socket);
        takeDatagrams(link.server.socket);
        VERIFY_HANDSHAKE(link);
    }
    QCOMPARE(kept.size(), 2);
    for (int i = 0; i < 2; ++i)
        QCOMPARE(kept.at(i).identityHint(), hints[i]);
}

} // namespace hardening

#include "nested_loops.moc"
