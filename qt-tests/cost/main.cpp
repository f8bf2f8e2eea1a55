// SPDX-License-Identifier: MIT OR Apache-2.0
//
// dtls_cost OPERATION COUNT: runs an operation COUNT times; callgrind collects nothing else.
//
//   valgrind --tool=callgrind --collect-atstart=no dtls_cost hello-without-cookie 100

#include "pair/cookie_exchange.h"
#include "pair/loopback.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QTextStream>

#include <valgrind/callgrind.h>

#include <functional>

using namespace pair;

namespace {

// Runs the operation once, for work that a process does only once, then `count` times for
// callgrind.
bool measure(int count, const std::function<bool()> &operation)
{
    bool right = operation();
    CALLGRIND_TOGGLE_COLLECT;
    for (int i = 0; i < count; ++i)
        right = operation() && right;
    CALLGRIND_TOGGLE_COLLECT;
    return right;
}

// Sends a verifier the same datagram again and again, and expects the same verdict.
bool flood(int count, bool verified, const std::function<QByteArray(CookieExchange &)> &datagramFor)
{
    CookieExchange exchange;
    const QByteArray datagram = datagramFor(exchange);
    const QHostAddress address = exchange.client.localAddress();
    const quint16 port = exchange.client.localPort();
    return measure(count, [&] {
        return exchange.verifier.verifyClient(&exchange.server, datagram, address, port) == verified
            && exchange.verifier.dtlsError() == QDtlsError::NoError;
    });
}

QByteArray helloWithRightCookie(CookieExchange &exchange)
{
    return exchange.answered(wire::genuineHello()).datagram();
}

QByteArray helloWithWrongCookie(CookieExchange &exchange)
{
    wire::ClientHello hello = exchange.answered(wire::genuineHello());
    hello.cookie.back() = char(hello.cookie.back() ^ 1);
    return hello.datagram();
}

// Client and server together, beside a connection of the same configuration.
bool handshakes(int count)
{
    const Identity identity = Identity::selfSigned(QStringLiteral("DNS:bob.example"));
    Loopback other(identity);
    return other.handshake() && measure(count, [&] { return Loopback(identity).handshake(); });
}

// The same without that connection, with configurations made for each.
bool handshakesAlone(int count)
{
    const Identity identity = Identity::selfSigned(QStringLiteral("DNS:bob.example"));
    return measure(count, [&] { return Loopback(identity).handshake(); });
}

// A plain datagram of the size that `write` takes.
bool plainWrites(int count, qsizetype size)
{
    Loopback link;
    const QByteArray message(size, 'm');
    const QHostAddress address = link.server.socket.localAddress();
    const quint16 port = link.server.socket.localPort();
    return measure(count, [&] {
        return link.client.socket.writeDatagram(message, address, port) == message.size();
    });
}

bool writes(int count, qsizetype size)
{
    Loopback link(Identity::selfSigned(QStringLiteral("DNS:bob.example")));
    const QByteArray message(size, 'm');
    return link.handshake() && measure(count, [&] {
               return link.client.dtls->writeDatagramEncrypted(&link.client.socket, message)
                   == message.size();
           });
}

bool reads(int count, qsizetype size)
{
    Loopback link(Identity::selfSigned(QStringLiteral("DNS:bob.example")));
    if (!link.handshake())
        return false;
    const QByteArray message(size, 'm');
    QByteArrayList datagrams;
    while (datagrams.size() <= count) {
        link.client.dtls->writeDatagramEncrypted(&link.client.socket, message);
        waitForDatagram(link.client.socket, link.server.socket);
        datagrams += takeDatagrams(link.server.socket);
    }
    auto next = datagrams.cbegin();
    return measure(count, [&] {
        return link.server.dtls->decryptDatagram(&link.server.socket, *next++).size() == size;
    });
}

bool run(const QString &operation, int count)
{
    if (operation == u"junk")
        return flood(count, false, [](CookieExchange &) { return QByteArray(200, 'x'); });
    if (operation == u"hello-without-cookie")
        return flood(count, false,
                     [](CookieExchange &) { return wire::genuineHello().datagram(); });
    if (operation == u"hello-with-wrong-cookie")
        return flood(count, false, helloWithWrongCookie);
    if (operation == u"hello-with-right-cookie")
        return flood(count, true, helloWithRightCookie);
    if (operation == u"handshake")
        return handshakes(count);
    if (operation == u"handshake-alone")
        return handshakesAlone(count);
    const qsizetype size = operation.section(u'-', 1).toInt();
    if (operation.startsWith(u"plain-"))
        return plainWrites(count, size);
    if (operation.startsWith(u"write-"))
        return writes(count, size);
    if (operation.startsWith(u"read-"))
        return reads(count, size);
    return false;
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    const QStringList arguments = application.arguments();
    if (run(arguments.value(1), arguments.value(2).toInt()))
        return 0;
    QTextStream(stderr) << "wrong result or no such operation: " << arguments.mid(1).join(u' ')
                        << Qt::endl;
    return 1;
}
