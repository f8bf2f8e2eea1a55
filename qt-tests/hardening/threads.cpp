// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F3: QDtls and QDtlsClientVerifier on two threads, one after the other.
#include "cases.h"
#include "settings.h"
#include "slots.h"
#include "worker.h"
#include "pair/wire.h"

#include <QtCore/QEventLoop>
#include <QtCore/QTimer>
#include <QtTest/QTest>

#include <atomic>
#include <thread>
#include <vector>

namespace hardening {

class Threads : public QObject {
    Q_OBJECT
    Q_CLASSINFO(
        "F3_moved_before_a_handshake",
        "a QDtls that moved retransmits on its new thread: timeout, abort, shutdown, delete")
    Q_CLASSINFO("F3_moved_between_handshakes",
                "a QDtls that was used and moved retransmits on its new thread")
    Q_CLASSINFO("F3_moved_within_a_handshake",
                "a running timer moves with its QDtls: timeout, abort, shutdown, delete")
    Q_CLASSINFO("F3_moved_after_a_handshake",
                "a complete connection works on the thread it moved to, and ends there")
    Q_CLASSINFO("F3_moved_in_bytesWritten",
                "the timer of a QDtls that moves while a flight is sent runs on its new thread")
    Q_CLASSINFO("F3_moved_in_pskRequired",
                "the timer of a QDtls that moves in a slot of pskRequired runs on its new thread")
    Q_CLASSINFO(
        "F3_moved_in_handshakeTimeout",
        "a QDtls that moves in a slot of handshakeTimeout gets the next one on its new thread")
    Q_CLASSINFO("F3_moved_twice", "the timer follows its QDtls from thread to thread and back")
    Q_CLASSINFO("F3_used_before_the_new_event_loop",
                "a QDtls is used on its new thread before that has an event loop")
    Q_CLASSINFO("F3_one_timer_after_a_move", "a move leaves no second timer behind")
    Q_CLASSINFO("F3_deleted_without_its_thread",
                "a QDtls with a running timer is deleted after its thread has ended")
    Q_CLASSINFO("F3_used_on_another_thread",
                "a QDtls that is used on one thread only works there, wherever it was made")
    Q_CLASSINFO("F3_contexts_on_eight_threads",
                "two hundred connections of one configuration, on eight threads at a time")
    Q_CLASSINFO("F3_verifier_on_two_threads", "a verifier works on the thread it moved to")
    Q_CLASSINFO("F3_verifiers_on_two_threads",
                "two verifiers with the process's secret work on two threads at a time")

private slots:
    void initTestCase();

    void F3_moved_before_a_handshake();
    void F3_moved_between_handshakes();
    void F3_moved_within_a_handshake();
    void F3_moved_after_a_handshake();
    void F3_moved_in_bytesWritten();
    void F3_moved_in_pskRequired();
    void F3_moved_in_handshakeTimeout();
    void F3_moved_twice();
    void F3_used_before_the_new_event_loop();
    void F3_one_timer_after_a_move();
    void F3_deleted_without_its_thread();
    void F3_used_on_another_thread();
    void F3_contexts_on_eight_threads();
    void F3_verifier_on_two_threads();
    void F3_verifiers_on_two_threads();
};

namespace {

const Registered<Threads> registration;

// Longer than the first interval, also stock's fixed one of a second.
constexpr int quietMs = 1200;

// A client that can move, its server, and the thread of each handshakeTimeout.
struct MovingLink : Loopback {
    MovingLink() { record(); }

    // Counts the signals of the client's present QDtls.
    void record()
    {
        QObject::connect(
            client.dtls.get(), &QDtls::handshakeTimeout, client.dtls.get(),
            [this] {
                emitter = QThread::currentThread();
                ++timeouts;
            },
            Qt::DirectConnection);
    }

    void move(QThread *thread)
    {
        client.dtls->moveToThread(thread);
        client.socket.moveToThread(thread);
    }

    void moveTo(Worker &worker)
    {
        worker.holdWhile([&] { move(&worker); });
    }

    // Back to this thread, with what is left.
    void takeBack(Worker &worker)
    {
        QThread *const here = QThread::currentThread();
        worker.run([&] {
            if (client.dtls)
                client.dtls->moveToThread(here);
            client.socket.moveToThread(here);
        });
    }

    // As Loopback::exchange(), with the client on the worker's thread.
    void exchangeWith(Worker &worker)
    {
        bool any = true;
        while (any) {
            worker.run([&] { any = client.deliver(); });
            any = server.deliver() || any;
            any = waitForDatagram(server.socket, client.socket) || any;
        }
    }

    // Waits for a number of signals that the client's QDtls has emitted in all.
    bool waitForTimeouts(int number)
    {
        return QTest::qWaitFor([&] { return timeouts >= number; }, 5 * quietMs);
    }

    // Returns whether there are no more signals than these.
    bool staysAt(int number)
    {
        return !QTest::qWaitFor([&] { return timeouts > number; }, quietMs);
    }

    // On the client's thread: lets the timer run again, whether it has run out or not.
    void startTimer()
    {
        client.dtls->doHandshake(&client.socket, "junk");
        timeouts = 0;
    }

    // Throws away what the client has sent; true if there was something.
    bool lose() { return !takeDatagrams(server.socket).isEmpty(); }

    std::atomic<QThread *> emitter = nullptr;
    std::atomic<int> timeouts = 0;
};

// What happens to a client on its new thread.
enum class Then { Timeout, Abort, Shutdown, Delete };
constexpr Then everything[] = { Then::Timeout, Then::Abort, Then::Shutdown, Then::Delete };

#define VERIFY_ROW(condition)                                                                      \
    QVERIFY2(condition, "row " + QByteArray::number(int(then)) + ", " + link.report())

// A handshake is under way, its last flight lost, and the client is on the worker's thread: the
// timer runs there, until the handshake ends.
void checkTimer(Then then, MovingLink &link, Worker &worker)
{
    Endpoint &client = link.client;
    if (then == Then::Timeout) {
        VERIFY_ROW(link.waitForTimeouts(1));
        VERIFY_ROW(link.emitter == &worker);
        worker.run([&] { client.dtls->handleTimeout(&client.socket); });
        link.exchangeWith(worker);
        VERIFY_ROW(client.isComplete() && link.server.isComplete());
        return;
    }
    bool done = true;
    int before = 0; // on a busy machine the timer may have run out already
    worker.run([&] {
        if (then == Then::Abort)
            done = client.dtls->abortHandshake(&client.socket);
        else if (then == Then::Shutdown) // refused within a handshake
            done = !client.dtls->shutdown(&client.socket);
        if (then != Then::Abort)
            client.dtls.reset();
        before = link.timeouts;
    });
    VERIFY_ROW(done);
    VERIFY_ROW(link.staysAt(before));
}

// Starts a client's handshake on the worker's thread; the first flight is lost.
bool startOn(Worker &worker, MovingLink &link)
{
    bool started = false;
    worker.run([&] { started = link.start(); });
    return started && link.lose();
}

} // namespace

void Threads::initTestCase()
{
    overwriteFreedMemory();
    setRetransmission(100, 400);
}

void Threads::F3_moved_before_a_handshake()
{
    for (const Then then : everything) {
        MovingLink link;
        Worker worker;
        link.moveTo(worker);
        VERIFY_ROW(startOn(worker, link));
        checkTimer(then, link, worker);
        link.takeBack(worker);
    }
}

void Threads::F3_moved_between_handshakes()
{
    for (const Then then : everything) {
        MovingLink link;
        Worker worker;
        VERIFY_HANDSHAKE(link);
        QVERIFY(link.client.dtls->shutdown(&link.client.socket));
        QVERIFY(link.server.dtls->shutdown(&link.server.socket));
        takeDatagrams(link.client.socket);
        link.lose();
        link.moveTo(worker);
        VERIFY_ROW(startOn(worker, link));
        checkTimer(then, link, worker);
        link.takeBack(worker);
    }
}

void Threads::F3_moved_within_a_handshake()
{
    for (const Then then : everything) {
        MovingLink link;
        Worker worker;
        VERIFY_ROW(link.start() && link.lose());
        link.moveTo(worker);
        checkTimer(then, link, worker);
        link.takeBack(worker);
    }
}

void Threads::F3_moved_after_a_handshake()
{
    for (const Then then : { Then::Shutdown, Then::Delete }) {
        MovingLink link;
        Worker worker;
        Endpoint &client = link.client;
        VERIFY_HANDSHAKE(link);
        link.moveTo(worker);
        worker.run([&] { client.dtls->writeDatagramEncrypted(&client.socket, "from afar"); });
        QVERIFY(waitForDatagram(link.server.socket, link.server.socket));
        link.server.deliver();
        QCOMPARE(link.server.plain, "from afar");

        QVERIFY(link.server.dtls->writeDatagramEncrypted(&link.server.socket, "answer") > 0);
        link.exchangeWith(worker);
        QCOMPARE(client.plain, "answer");
        worker.run([&] {
            if (then == Then::Shutdown)
                client.dtls->shutdown(&client.socket);
            client.dtls.reset();
        });
        QCOMPARE(link.timeouts.load(), 0);
        link.takeBack(worker);
    }
}

void Threads::F3_moved_in_bytesWritten()
{
    for (const Then then : everything) {
        MovingLink link;
        Worker worker;
        worker.holdWhile([&] {
            onNextSend(link.client, [&] { link.client.dtls->moveToThread(&worker); });
            link.start();
            link.client.socket.moveToThread(&worker);
        });
        VERIFY_ROW(link.lose());
        checkTimer(then, link, worker);
        link.takeBack(worker);
    }
}

void Threads::F3_moved_in_pskRequired()
{
    for (const Then then : everything) {
        MovingLink link;
        Worker worker;
        bool moved = false;
        onPskRequired(link.client, [&] {
            link.client.dtls->moveToThread(&worker);
            moved = true;
        });
        QVERIFY(link.start());
        worker.holdWhile([&] {
            while (!moved && (link.server.deliver() || link.client.deliver())) { }
            link.client.socket.moveToThread(&worker);
        });
        VERIFY_ROW(moved && link.lose());
        checkTimer(then, link, worker);
        link.takeBack(worker);
    }
}

void Threads::F3_moved_in_handshakeTimeout()
{
    MovingLink link;
    Worker worker;
    QObject once;
    connect(
        link.client.dtls.get(), &QDtls::handshakeTimeout, &once,
        [&] {
            worker.holdWhile([&] {
                link.client.dtls->handleTimeout(&link.client.socket);
                link.move(&worker);
            });
        },
        Qt::ConnectionType(Qt::DirectConnection | Qt::SingleShotConnection));
    QVERIFY(link.start() && link.lose());
    QVERIFY(link.waitForTimeouts(1));
    QVERIFY(link.lose());
    QVERIFY(link.waitForTimeouts(2));
    const Then then = Then::Timeout;
    VERIFY_ROW(link.emitter == &worker);
    worker.run([&] { link.client.dtls->handleTimeout(&link.client.socket); });
    link.exchangeWith(worker);
    VERIFY_ROW(link.client.isComplete());
    link.takeBack(worker);
}

void Threads::F3_moved_twice()
{
    MovingLink link;
    Worker first;
    Worker second;
    QVERIFY(link.start() && link.lose());
    link.moveTo(first);
    second.holdWhile([&] {
        first.run([&] {
            link.startTimer();
            link.move(&second);
        });
    });
    QVERIFY(link.waitForTimeouts(1));
    QCOMPARE(link.emitter.load(), &second);

    second.run([&] { link.startTimer(); });
    link.takeBack(second);
    link.startTimer();
    QVERIFY(link.waitForTimeouts(1));
    QCOMPARE(link.emitter.load(), QThread::currentThread());
    link.lose();
    QVERIFY(link.client.dtls->handleTimeout(&link.client.socket));
    link.exchange();
    QVERIFY2(link.client.isComplete() && link.server.isComplete(), link.report());
}

// The first job on the new thread comes before the events that moved with the QDtls.
void Threads::F3_used_before_the_new_event_loop()
{
    for (const Then then : everything) {
        MovingLink link;
        QVERIFY(link.start() && link.lose());
        if (then == Then::Timeout)
            QTest::qSleep(quietMs); // it has run out, unseen
        std::unique_ptr<QThread> thread(QThread::create([&] {
            Endpoint &client = link.client;
            if (then == Then::Timeout)
                client.dtls->handleTimeout(&client.socket);
            if (then == Then::Abort)
                client.dtls->abortHandshake(&client.socket);
            if (then == Then::Delete || then == Then::Shutdown)
                client.dtls.reset();
            QEventLoop loop;
            QTimer::singleShot(quietMs, &loop, &QEventLoop::quit);
            loop.exec();
            client.dtls.reset();
            client.socket.moveToThread(qApp->thread());
        }));
        link.move(thread.get());
        thread->start();
        QVERIFY(thread->wait());
        QCOMPARE(link.lose(), then == Then::Timeout);
        QCOMPARE(link.timeouts > 0, then == Then::Timeout);
        if (then == Then::Timeout)
            QCOMPARE(link.emitter.load(), thread.get());
    }
}

void Threads::F3_one_timer_after_a_move()
{
    MovingLink link;
    Worker worker;
    QVERIFY(link.start() && link.lose());
    link.moveTo(worker);
    worker.run([&] { link.startTimer(); });
    QVERIFY(link.waitForTimeouts(1));
    QVERIFY(link.staysAt(1)); // since it was not handled
    QVERIFY(link.client.dtls->children().isEmpty());
    link.takeBack(worker);
}

void Threads::F3_deleted_without_its_thread()
{
    for (const bool destroyed : { false, true }) {
        MovingLink link;
        auto worker = std::make_unique<Worker>();
        link.moveTo(*worker);
        worker->run([&] { link.start(); });
        worker->end();
        if (destroyed)
            worker.reset();
        link.client.dtls.reset();
        QTest::qWait(quietMs);
        QCOMPARE(link.timeouts.load(), 0);
    }
}

// As in a subclass of QThread that is given a QDtls and uses it in run() only.
void Threads::F3_used_on_another_thread()
{
    for (const Then then : everything) {
        MovingLink link;
        Worker worker;
        worker.holdWhile([&] { link.client.socket.moveToThread(&worker); });
        VERIFY_ROW(startOn(worker, link));
        checkTimer(then, link, worker);
        link.takeBack(worker);
    }
}

void Threads::F3_contexts_on_eight_threads()
{
    constexpr int connections = 25;
    std::atomic<int> right = 0;
    const auto connect = [&right] {
        for (int i = 0; i < connections; ++i) {
            Loopback link;
            if (!link.handshake())
                continue;
            link.client.dtls->writeDatagramEncrypted(&link.client.socket, "message");
            link.exchange();
            right += link.server.plain == "message";
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back(connect);
    for (std::thread &thread : threads)
        thread.join();
    QCOMPARE(right.load(), 8 * connections);
}

void Threads::F3_verifier_on_two_threads()
{
    Loopback link;
    QDtlsClientVerifier verifier;
    const wire::ClientHello hello = wire::genuineHello();
    QVERIFY(!link.server.verify(verifier, hello.datagram()));
    const QByteArray cookie = wire::cookieIn(nextDatagram(link.client.socket).value_or(""));
    QVERIFY(!cookie.isEmpty());

    Worker worker;
    worker.holdWhile([&] {
        verifier.moveToThread(&worker);
        link.server.socket.moveToThread(&worker);
    });
    bool verified = false;
    QThread *const here = QThread::currentThread();
    worker.run([&] {
        verified = link.server.verify(verifier, hello.withCookie(cookie).datagram());
        verifier.moveToThread(here);
        link.server.socket.moveToThread(here);
    });
    QVERIFY(verified);
    QCOMPARE(verifier.verifiedHello(), hello.withCookie(cookie).datagram());
}

void Threads::F3_verifiers_on_two_threads()
{
    const QByteArray hello = wire::genuineHello().datagram();
    const auto verifyMany = [&hello](int *answered) {
        Loopback link;
        QDtlsClientVerifier verifier;
        for (int i = 0; i < 500; ++i) {
            link.server.verify(verifier, hello);
            *answered += int(takeDatagrams(link.client.socket).size());
        }
    };
    int here = 0;
    int there = 0;
    std::thread other([&] { verifyMany(&there); });
    verifyMany(&here);
    other.join();
    QCOMPARE(here, 500);
    QCOMPARE(there, 500);
}

} // namespace hardening

#include "threads.moc"
