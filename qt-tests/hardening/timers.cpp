// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S1, S2, S12, S13, F11: handleTimeout() and the retransmission timer.
#include "cases.h"
#include "settings.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtCore/QElapsedTimer>
#include <QtCore/QThread>
#include <QtCore/QTimer>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

#include <atomic>
#include <ctime>
#include <sys/time.h>

static std::atomic<long> secondsSetBack { 0 };

// Takes the place of the C library's function, which OpenSSL uses for its timer.
extern "C" int gettimeofday(timeval *__restrict now, void *__restrict) noexcept
{
    timespec time {};
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec - secondsSetBack;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

namespace hardening {

class Timers : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S1_handleTimeout_before_a_handshake",
                "handleTimeout before a handshake is refused")
    Q_CLASSINFO("S1_handleTimeout_after_shutdown", "handleTimeout after shutdown is refused")
    Q_CLASSINFO("S1_early_handleTimeout", "handleTimeout before the timer expired resends nothing")
    Q_CLASSINFO("S2_no_timeout_after_abort", "the timer is stopped by abortHandshake")
    Q_CLASSINFO("S2_no_timeout_after_completion", "the timer is stopped by a complete handshake")
    Q_CLASSINFO("S2_no_timeout_after_failure", "the timer is stopped by a handshake that failed")
    Q_CLASSINFO("S12_exhausted_retransmissions_are_reported",
                "the handshake ends with an error when OpenSSL gives up retransmitting")
    Q_CLASSINFO("S13_early_handleTimeout_leaves_one_timer",
                "an early handleTimeout neither adds nor delays a timer")
    Q_CLASSINFO("S13_handleTimeout_after_completion_starts_no_timer",
                "handleTimeout on a complete connection starts no timer")
    Q_CLASSINFO("S13_every_timeout_resends_a_flight",
                "after junk came in, each handshakeTimeout still resends a flight")
    Q_CLASSINFO("S13_junk_does_not_postpone_the_timer",
                "a stream of junk cannot hold the timer back")
    Q_CLASSINFO("S13_a_late_timer_waits_for_what_arrived",
                "nothing is sent again for the time in which the event loop stood still")
    Q_CLASSINFO(
        "F11_clock_set_back",
        "a flight is sent again, or the handshake ends, when the clock was set back an hour")
    Q_CLASSINFO("S13_intervals_are_settable", "initial and maximum interval follow the settings")

private slots:
    void S1_handleTimeout_before_a_handshake();
    void S1_handleTimeout_after_shutdown();
    void S1_early_handleTimeout();
    void S2_no_timeout_after_abort();
    void S2_no_timeout_after_completion();
    void S2_no_timeout_after_failure();
    void S12_exhausted_retransmissions_are_reported();
    void S13_early_handleTimeout_leaves_one_timer();
    void S13_handleTimeout_after_completion_starts_no_timer();
    void S13_every_timeout_resends_a_flight();
    void S13_junk_does_not_postpone_the_timer();
    void S13_intervals_are_settable();
    void S13_a_late_timer_waits_for_what_arrived();
    void F11_clock_set_back();
};

namespace {

const Registered<Timers> registration;

// More than the default first interval, 1 s, and less than the first two.
constexpr int pastFirstIntervalMs = 1500;

// Too short for a record header: OpenSSL ignores it.
const QByteArray junk = "junk";

// Calls handleTimeout at each timeout, as the documentation demands.
void handleTimeouts(Endpoint &endpoint)
{
    QObject::connect(endpoint.dtls.get(), &QDtls::handshakeTimeout, endpoint.dtls.get(),
                     [&endpoint] { endpoint.dtls->handleTimeout(&endpoint.socket); });
}

} // namespace

void Timers::S1_handleTimeout_before_a_handshake()
{
    Loopback link;
    QVERIFY(!link.client.dtls->handleTimeout(&link.client.socket));
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::InvalidOperation);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
}

void Timers::S1_handleTimeout_after_shutdown()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    QVERIFY(!link.client.dtls->handleTimeout(&link.client.socket));
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::InvalidOperation);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
}

void Timers::S1_early_handleTimeout()
{
    Loopback link;
    QVERIFY(link.start());
    takeDatagrams(link.server.socket);

    QVERIFY(link.client.dtls->handleTimeout(&link.client.socket));
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::NoError);
    QCOMPARE(link.client.dtls->handshakeState(), QDtls::HandshakeInProgress);
    QVERIFY(takeDatagrams(link.server.socket).isEmpty());
}

void Timers::S2_no_timeout_after_abort()
{
    Loopback link;
    handleTimeouts(link.client);
    QSignalSpy timeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QVERIFY(link.start());
    QVERIFY(link.client.dtls->abortHandshake(&link.client.socket));
    QVERIFY(!timeouts.wait(pastFirstIntervalMs));
}

void Timers::S2_no_timeout_after_completion()
{
    Loopback link;
    QSignalSpy clientTimeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QSignalSpy serverTimeouts(link.server.dtls.get(), &QDtls::handshakeTimeout);
    VERIFY_HANDSHAKE(link);
    QVERIFY(!clientTimeouts.wait(pastFirstIntervalMs));
    QCOMPARE(serverTimeouts.size(), 0);
}

void Timers::S2_no_timeout_after_failure()
{
    Loopback link;
    link.client.usePsk({});
    QSignalSpy clientTimeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QSignalSpy serverTimeouts(link.server.dtls.get(), &QDtls::handshakeTimeout);
    QVERIFY(!link.handshake());
    QVERIFY(link.client.failed);
    QVERIFY(link.server.failed);
    QVERIFY(!clientTimeouts.wait(pastFirstIntervalMs));
    QCOMPARE(serverTimeouts.size(), 0);
}

void Timers::S12_exhausted_retransmissions_are_reported()
{
    constexpr int retransmissions = 12; // OpenSSL's limit
    setRetransmission(20, 80);
    Loopback link;
    bool gaveUp = false;
    connect(link.client.dtls.get(), &QDtls::handshakeTimeout, this,
            [&] { gaveUp = !link.client.dtls->handleTimeout(&link.client.socket); });
    QVERIFY(link.start());

    QTRY_VERIFY_WITH_TIMEOUT(gaveUp, 6000);
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::TlsFatalError);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
    QCOMPARE(link.client.dtls->handshakeState(), QDtls::HandshakeNotStarted);
    constexpr int sentTwice = retransmissions - 3; // from the fifth try on
    int hellos = 0;
    for (const QByteArray &datagram : takeDatagrams(link.server.socket))
        hellos += int(wire::records(datagram).size());
    QCOMPARE(hellos, 1 + retransmissions + sentTwice);
}

void Timers::S13_early_handleTimeout_leaves_one_timer()
{
    setRetransmission(1000, 60000);
    Loopback link;
    QSignalSpy timeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QElapsedTimer clock;
    QVERIFY(link.start());
    clock.start();
    QTimer::singleShot(700, link.client.dtls.get(),
                       [&link] { link.client.dtls->handleTimeout(&link.client.socket); });

    QVERIFY(timeouts.wait(3000));
    // A timer that started again would expire after 1700 ms.
    QVERIFY2(qAbs(clock.elapsed() - 1000) < 600, QByteArray::number(clock.elapsed()));
    // Nothing may follow a timeout that was not handled.
    QVERIFY(!timeouts.wait(2500));
}

void Timers::S13_handleTimeout_after_completion_starts_no_timer()
{
    Loopback link;
    QSignalSpy timeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    VERIFY_HANDSHAKE(link);
    link.client.dtls->handleTimeout(&link.client.socket);
    QVERIFY(!timeouts.wait(pastFirstIntervalMs));
    QVERIFY(link.client.isComplete());
}

void Timers::S13_every_timeout_resends_a_flight()
{
    setRetransmission(200, 800);
    Loopback link;
    QSignalSpy timeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QVERIFY(link.start());
    for (int round = 1; round <= 3; ++round) {
        takeDatagrams(link.server.socket);
        QVERIFY(timeouts.wait());
        QVERIFY(link.client.dtls->handleTimeout(&link.client.socket));
        QVERIFY2(!takeDatagrams(link.server.socket).isEmpty(), QByteArray::number(round));
        QVERIFY(link.client.dtls->doHandshake(&link.client.socket, junk));
    }
}

void Timers::S13_junk_does_not_postpone_the_timer()
{
    // The junk must not fall on the end of an interval: OpenSSL would resend then and leave nothing
    // to signal.
    setRetransmission(550, 1100);
    Loopback link;
    QSignalSpy timeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QTimer attacker;
    attacker.setTimerType(Qt::PreciseTimer);
    connect(&attacker, &QTimer::timeout, this,
            [&link] { link.client.dtls->doHandshake(&link.client.socket, junk); });
    QVERIFY(link.start());
    attacker.start(100);
    QVERIFY(timeouts.wait(3000));
}

void Timers::S13_intervals_are_settable()
{
    setRetransmission(100, 200);
    Loopback link;
    handleTimeouts(link.client);
    QSignalSpy timeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QElapsedTimer clock;
    QVERIFY(link.start());
    clock.start();
    // After 100 ms and four times 200 ms; without the maximum the fifth would come after 3100 ms.
    QTRY_COMPARE_WITH_TIMEOUT(timeouts.size(), 5, 3000);
    QVERIFY2(clock.elapsed() >= 800, QByteArray::number(clock.elapsed()));
}

void Timers::S13_a_late_timer_waits_for_what_arrived()
{
    // The answer waits on the socket, or the server on the same thread has yet to give it.
    for (const bool isAnswered : { true, false }) {
        Loopback link;
        handleTimeouts(link.client);
        QSignalSpy timeouts(link.client.dtls.get(), &QDtls::handshakeTimeout);
        connect(&link.client.socket, &QUdpSocket::readyRead, this,
                [&link] { link.client.deliver(); });
        connect(&link.server.socket, &QUdpSocket::readyRead, this, [&link] {
            QThread::msleep(50);
            link.server.deliver();
        });
        QVERIFY(link.start());
        if (isAnswered)
            link.server.deliver();
        QThread::msleep(pastFirstIntervalMs);
        QTRY_VERIFY(link.client.isComplete() && link.server.isComplete());
        QCOMPARE(timeouts.size(), 0);
    }
}

void Timers::F11_clock_set_back()
{
    Loopback link;
    handleTimeouts(link.client);
    QVERIFY(link.start());
    QCOMPARE(takeDatagrams(link.server.socket).size(), 1);
    secondsSetBack = 3600;
    const auto isDone = [&] {
        return link.server.socket.hasPendingDatagrams()
            || link.client.dtls->handshakeState() == QDtls::HandshakeNotStarted;
    };
    QVERIFY(QTest::qWaitFor(isDone, 3 * pastFirstIntervalMs));
    if (link.client.dtls->handshakeState() == QDtls::HandshakeNotStarted) {
        QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::TlsFatalError);
        QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
    }
}

} // namespace hardening

#include "timers.moc"
