// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cookie_exchange.h"

#include "loopback.h"

namespace pair {

CookieExchange::CookieExchange()
{
    server.bind(QHostAddress::LocalHost);
    client.bind(QHostAddress::LocalHost);
}

QByteArray CookieExchange::cookieFor(const wire::ClientHello &hello)
{
    takeDatagrams(client);
    if (accepts(hello))
        return {};
    return wire::cookieIn(takeDatagrams(client).value(0));
}

wire::ClientHello CookieExchange::answered(const wire::ClientHello &hello)
{
    return hello.withCookie(cookieFor(hello));
}

bool CookieExchange::accepts(const wire::ClientHello &hello)
{
    return acceptsFrom(client.localAddress(), client.localPort(), hello);
}

bool CookieExchange::acceptsFrom(const QHostAddress &address, quint16 port,
                                 const wire::ClientHello &hello)
{
    const QByteArray datagram = hello.datagram();
    return verifier.verifyClient(&server, datagram, address, port)
        && verifier.verifiedHello() == datagram;
}

} // namespace pair
