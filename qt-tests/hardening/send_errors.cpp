// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F4, F5, A8: sends that fail with each error that send(2), sendto(2), sendmsg(2), ip(7), ipv6(7)
// and udp(7) name, on connected and unconnected sockets, over IPv4 and IPv6.
#include "cases.h"
#include "failing_sends.h"
#include "pair/loopback.h"
#include "pair/wire.h"
#include "settings.h"

#include <QtCore/QElapsedTimer>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

#include <cerrno>
#include <cstring>

namespace hardening {

class SendErrors : public QObject {
    Q_OBJECT
    Q_CLASSINFO("F4_handshake",
                "a handshake leaves passing errors to retransmission and reports permanent ones")
    Q_CLASSINFO("F4_retransmission",
                "a retransmission leaves passing errors to the next and reports permanent ones")
    Q_CLASSINFO("F4_handshake_completes",
                "a handshake whose first datagram met a passing error completes")
    Q_CLASSINFO("F4_hello_verify_request",
                "a verifier reports why it could not answer, and answers the next hello")
    Q_CLASSINFO("F4_write", "a write reports why it failed, and the next one gets through")
    Q_CLASSINFO("F5_text_is_of_this_send",
                "an earlier error of the socket does not explain a later failure")
    Q_CLASSINFO("F5_refusal_after_an_oversized_write",
                "an ICMP refusal is called one, although the socket met another error before")
    Q_CLASSINFO("F5_slots_change_errno",
                "what a slot of the socket does to errno does not change the outcome")
    Q_CLASSINFO("F5_slot_deletes_the_socket", "a slot of the socket may delete it")
    Q_CLASSINFO("F5_signals_are_emitted",
                "bytesWritten and errorOccurred come once for each datagram")
    Q_CLASSINFO("A8_failing_sends_do_not_fill_the_log",
                "hundreds of failing sends write at most a line a second")

private slots:
    void F4_handshake();
    void F4_retransmission();
    void F4_handshake_completes();
    void F4_hello_verify_request();
    void F4_write();
    void F5_text_is_of_this_send();
    void F5_refusal_after_an_oversized_write();
    void F5_slots_change_errno();
    void F5_slot_deletes_the_socket();
    void F5_signals_are_emitted();
    void A8_failing_sends_do_not_fill_the_log();
};

namespace {

const Registered<SendErrors> registration;

enum class Kind { Passing, Permanent };

struct Error {
    int number;
    Kind kind;
};

#define PERMANENT(number)                                                                          \
    {                                                                                              \
        number, Kind::Permanent                                                                    \
    }
#define PASSING(number)                                                                            \
    {                                                                                              \
        number, Kind::Passing                                                                      \
    }

const Error errors[] = {
    PERMANENT(EACCES),      PERMANENT(EADDRINUSE),   PERMANENT(EAFNOSUPPORT),
    PERMANENT(EBADF),       PERMANENT(ECONNABORTED), PERMANENT(EDESTADDRREQ),
    PERMANENT(EFAULT),      PERMANENT(EINVAL),       PERMANENT(EISCONN),
    PERMANENT(EMSGSIZE),    PERMANENT(ENODEV),       PERMANENT(ENOENT),
    PERMANENT(ENOPKG),      PERMANENT(ENOTCONN),     PERMANENT(ENOTSOCK),
    PERMANENT(EOPNOTSUPP),  PERMANENT(EPIPE),        PERMANENT(ESOCKTNOSUPPORT),
    PASSING(EADDRNOTAVAIL), PASSING(EAGAIN),         PASSING(EALREADY),
    PASSING(ECONNREFUSED),  PASSING(ECONNRESET),     PASSING(EHOSTDOWN),
    PASSING(EHOSTUNREACH),  PASSING(ENETDOWN),       PASSING(ENETRESET),
    PASSING(ENETUNREACH),   PASSING(ENOBUFS),        PASSING(ENOMEM),
    PASSING(ENONET),        PASSING(ENOPROTOOPT),    PASSING(EPERM),
    PASSING(EPROTO),
};

struct Socket {
    const char *name;
    QHostAddress address;
    bool isConnected;

    // Qt closes a connected socket after these two.
    bool isClosedBy(int error) const
    {
        return isConnected && (error == EPIPE || error == ECONNRESET);
    }
    // Qt does not say that it was an error.
    bool hides(int error) const { return isConnected && error == EAGAIN; }
};

const Socket sockets[] = {
    { "unconnected, IPv4", QHostAddress::LocalHost, false },
    { "connected, IPv4", QHostAddress::LocalHost, true },
    { "unconnected, IPv6", QHostAddress::LocalHostIPv6, false },
    { "connected, IPv6", QHostAddress::LocalHostIPv6, true },
};

void connectTo(QUdpSocket &socket, const QHostAddress &address, quint16 port)
{
    socket.connectToHost(address, port);
    socket.waitForConnected();
}

// Loopback with such a socket on the client's side.
struct Link : Loopback {
    explicit Link(const Socket &kind)
        : Loopback(kind.address)
    {
        if (kind.isConnected)
            connectTo(client.socket, kind.address, server.socket.localPort());
        server.setPeer(client);
    }

    QDtls &dtls() { return *client.dtls; }
    QUdpSocket &socket() { return client.socket; }
    qint64 write(const QByteArray &message)
    {
        return dtls().writeDatagramEncrypted(&socket(), message);
    }
};

QByteArray text(int error)
{
    return std::strerror(error);
}

// The socket's error is reported, with this error's own text unless nothing tells it.
bool isReported(const QDtls &dtls, const Socket &socket, int error)
{
    const QByteArray found = dtls.dtlsErrorString().toUtf8();
    const bool isUnknown = socket.isClosedBy(error) || socket.hides(error);
    return dtls.dtlsError() == QDtlsError::UnderlyingSocketError
        && (isUnknown ? !found.isEmpty() : found.contains(text(error)));
}

QByteArray place(const Socket &socket, const Error &error, const QDtls &dtls)
{
    return QByteArray(socket.name) + ", " + text(error.number) + ": "
        + dtls.dtlsErrorString().toUtf8();
}

// What a step of a handshake says that could not send.
bool isRight(const QDtls &dtls, bool succeeded, const Socket &socket, const Error &error)
{
    if (dtls.handshakeState() != QDtls::HandshakeInProgress)
        return false;
    if (error.kind == Kind::Permanent || socket.isClosedBy(error.number))
        return !succeeded && isReported(dtls, socket, error.number);
    return succeeded && dtls.dtlsError() == QDtlsError::NoError;
}

int lines = 0;

void countLines(QtMsgType, const QMessageLogContext &context, const QString &)
{
    if (QByteArray(context.category).startsWith("qt.tls"))
        ++lines;
}

} // namespace

void SendErrors::F4_handshake()
{
    for (const Socket &socket : sockets) {
        for (const Error &error : errors) {
            Link link(socket);
            const FailingSends failing(error.number);
            const bool succeeded = link.start();
            QCOMPARE(failing.failed(), 1);
            QVERIFY2(isRight(link.dtls(), succeeded, socket, error),
                     place(socket, error, link.dtls()));
        }
    }
}

void SendErrors::F4_retransmission()
{
    setRetransmission(20, 20);
    for (const Socket &socket : sockets) {
        for (const Error &error : errors) {
            Link link(socket);
            QSignalSpy timeouts(&link.dtls(), &QDtls::handshakeTimeout);
            QVERIFY(link.start());
            QVERIFY(timeouts.wait());
            const FailingSends failing(error.number);
            const bool succeeded = link.dtls().handleTimeout(&link.socket());
            QCOMPARE(failing.failed(), 1);
            QVERIFY2(isRight(link.dtls(), succeeded, socket, error),
                     place(socket, error, link.dtls()));
        }
    }
}

void SendErrors::F4_handshake_completes()
{
    setRetransmission(20, 80);
    for (const Socket &socket : sockets) {
        for (const int error : { ENOBUFS, ECONNREFUSED, EINTR }) {
            Link link(socket);
            connect(&link.dtls(), &QDtls::handshakeTimeout, this,
                    [&link] { link.dtls().handleTimeout(&link.socket()); });
            {
                const FailingSends failing(error);
                QVERIFY2(link.start(), link.report());
                QCOMPARE(failing.failed(), 1);
            }
            const auto isDone = [&link] {
                link.exchange();
                return link.client.isComplete() && link.server.isComplete();
            };
            QVERIFY2(QTest::qWaitFor(isDone), link.report());
        }
    }
}

void SendErrors::F4_hello_verify_request()
{
    const QByteArray hello = wire::genuineHello().datagram();
    for (const Socket &socket : sockets) {
        for (const Error &error : errors) {
            QUdpSocket client;
            QUdpSocket server;
            QVERIFY(client.bind(socket.address) && server.bind(socket.address));
            if (socket.isConnected)
                connectTo(server, socket.address, client.localPort());
            QDtlsClientVerifier verifier;
            const auto verify = [&] {
                return verifier.verifyClient(&server, hello, socket.address, client.localPort());
            };
            {
                const FailingSends failing(error.number);
                QVERIFY(!verify());
                QCOMPARE(failing.failed(), 1);
            }
            const QByteArray found = verifier.dtlsErrorString().toUtf8();
            const bool isUnknown = socket.isClosedBy(error.number) || socket.hides(error.number);
            QVERIFY2(verifier.dtlsError() == QDtlsError::UnderlyingSocketError
                         && (isUnknown ? !found.isEmpty() : found.contains(text(error.number))),
                     QByteArray(socket.name) + ", " + text(error.number) + ": " + found);
            if (socket.isClosedBy(error.number))
                continue;
            QVERIFY(!verify());
            QCOMPARE(verifier.dtlsError(), QDtlsError::NoError);
            QVERIFY(!wire::cookieIn(takeDatagrams(client).value(0)).isEmpty());
        }
    }
}

void SendErrors::F4_write()
{
    for (const Socket &socket : sockets) {
        auto link = std::make_unique<Link>(socket);
        VERIFY_HANDSHAKE(*link);
        for (const Error &error : errors) {
            {
                const FailingSends failing(error.number);
                QCOMPARE(link->write("lost"), -1);
                QCOMPARE(failing.failed(), 1);
            }
            QVERIFY2(isReported(link->dtls(), socket, error.number),
                     place(socket, error, link->dtls()));
            QVERIFY(link->client.isComplete());
            if (socket.isClosedBy(error.number)) {
                link = std::make_unique<Link>(socket);
                VERIFY_HANDSHAKE(*link);
            }
            QCOMPARE(link->write("sent"), 4);
            link->exchange();
            QCOMPARE(link->server.plain, "sent");
            link->server.plain.clear();
        }
    }
}

void SendErrors::F5_text_is_of_this_send()
{
    for (const Socket &socket : sockets) {
        Link link(socket);
        VERIFY_HANDSHAKE(link);
        const QByteArray oversized(100'000, 'x');
        QCOMPARE(socket.isConnected ? link.socket().write(oversized)
                                    : link.socket().writeDatagram(oversized, socket.address,
                                                                  link.server.socket.localPort()),
                 -1);
        for (const int error : { ENETUNREACH, EINVAL, EACCES }) {
            const FailingSends failing(error);
            QCOMPARE(link.write("lost"), -1);
            QVERIFY2(isReported(link.dtls(), socket, error), link.client.report());
        }
    }
}

void SendErrors::F5_refusal_after_an_oversized_write()
{
    Link link(sockets[1]);
    QCOMPARE(link.socket().write(QByteArray(100'000, 'x')), -1);
    // The first hello meets a closed port; the retransmission gets the ICMP refusal.
    setRetransmission(20, 20);
    link.server.socket.close();
    QSignalSpy timeouts(&link.dtls(), &QDtls::handshakeTimeout);
    QVERIFY(link.start());
    QVERIFY(timeouts.wait());
    QVERIFY2(link.dtls().handleTimeout(&link.socket()), link.report());

    Link established(sockets[1]);
    VERIFY_HANDSHAKE(established);
    QCOMPARE(established.socket().write(QByteArray(100'000, 'x')), -1);
    established.server.socket.close();
    QCOMPARE(established.write("one"), 3);
    QCOMPARE(established.write("two"), -1);
    QVERIFY2(isReported(established.dtls(), sockets[1], ECONNREFUSED), established.client.report());
}

void SendErrors::F5_slots_change_errno()
{
    for (const Socket &socket : sockets) {
        for (const int change : { 0, EINVAL, ENOBUFS }) {
            Link link(socket);
            const auto changeErrno = [change] { errno = change; };
            connect(&link.socket(), &QUdpSocket::errorOccurred, this, changeErrno);
            connect(&link.socket(), &QUdpSocket::bytesWritten, this, changeErrno);
            {
                const FailingSends failing(ENETUNREACH);
                QVERIFY2(link.start(), link.report());
            }
            QVERIFY(link.dtls().abortHandshake(&link.socket()));
            {
                const FailingSends failing(EACCES);
                QVERIFY(!link.start());
                QVERIFY2(isReported(link.dtls(), socket, EACCES), link.report());
            }
            QVERIFY(link.dtls().abortHandshake(&link.socket()));
            VERIFY_HANDSHAKE(link);
            const FailingSends failing(EPERM);
            QCOMPARE(link.write("lost"), -1);
            QVERIFY2(isReported(link.dtls(), socket, EPERM), link.report());
        }
    }
}

void SendErrors::F5_slot_deletes_the_socket()
{
    Link link(sockets[0]);
    auto socket = std::make_unique<QUdpSocket>();
    QVERIFY(socket->bind(QHostAddress::LocalHost));
    connect(socket.get(), &QUdpSocket::errorOccurred, this, [&socket] { socket.reset(); });
    const FailingSends failing(EACCES);
    QVERIFY(!link.dtls().doHandshake(socket.get()));
    QCOMPARE(link.dtls().dtlsError(), QDtlsError::UnderlyingSocketError);
    QVERIFY(!socket);
}

void SendErrors::F5_signals_are_emitted()
{
    Link link(sockets[0]);
    QSignalSpy written(&link.socket(), &QUdpSocket::bytesWritten);
    QSignalSpy failures(&link.socket(), &QUdpSocket::errorOccurred);
    VERIFY_HANDSHAKE(link);
    QCOMPARE(written.size(), link.server.received.size());
    for (qsizetype i = 0; i < written.size(); ++i)
        QCOMPARE(written.at(i).first().toLongLong(), link.server.received.at(i).size());
    QCOMPARE(failures.size(), 0);
    const FailingSends failing(ENOBUFS);
    link.write("lost");
    QCOMPARE(failures.size(), 1);
    QCOMPARE(written.size(), link.server.received.size());
}

void SendErrors::A8_failing_sends_do_not_fill_the_log()
{
    Link link(sockets[0]);
    VERIFY_HANDSHAKE(link);
    QElapsedTimer clock;
    clock.start();
    const auto before = qInstallMessageHandler(countLines);
    const FailingSends failing(ENOBUFS, 500);
    while (failing.failed() < 500)
        link.write("lost");
    qInstallMessageHandler(before);
    // The library and this clock count in whole milliseconds.
    QVERIFY2(lines <= 1 + (clock.elapsed() + 2) / 1000, QByteArray::number(lines));
}

} // namespace hardening

#include "send_errors.moc"
