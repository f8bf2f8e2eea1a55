// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A verifier on a loopback socket and a client whose hellos are bytes, so that they can be altered.
#pragma once

#include "wire.h"

#include <QtNetwork/QDtlsClientVerifier>
#include <QtNetwork/QHostAddress>
#include <QtNetwork/QUdpSocket>

namespace pair {

class CookieExchange {
public:
    CookieExchange();

    // The cookie the verifier asks this hello's sender for; null when it asks for none.
    QByteArray cookieFor(const wire::ClientHello &hello);
    // The hello that answers the verifier's request.
    wire::ClientHello answered(const wire::ClientHello &hello);
    bool accepts(const wire::ClientHello &hello);
    bool acceptsFrom(const QHostAddress &address, quint16 port, const wire::ClientHello &hello);

    QDtlsClientVerifier verifier;
    QUdpSocket server;
    QUdpSocket client;
};

} // namespace pair
