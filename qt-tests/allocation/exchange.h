// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The subject of a sweep: one association between two QDtls in this process, from the cookie to the
// end.
#pragma once

#include <QtCore/QByteArray>
#include <QtNetwork/QSslConfiguration>

namespace allocation {

struct Ending {
    enum Kind {
        Completed,
        Lost, // as Completed, but a datagram is lost or had to be sent again
        Refused, // a step failed, and reported an error with a text
        Wrong, // a step failed in a way that an application cannot make sense of
        Thrown, // a step threw std::bad_alloc, which ends a program that does not catch it
    };

    static const char *nameOf(Kind kind);

    Kind kind;
    QByteArray detail; // the failed step, and what was reported
};

struct Configurations {
    QSslConfiguration client;
    QSslConfiguration server;

    // With a new certificate for the server.
    static Configurations make();
    // With a pre-shared key.
    static Configurations makePsk();
};

// Cookie exchange, handshake, a datagram each way, shutdown; all objects are gone when it returns.
Ending runExchange(const Configurations &configurations);

} // namespace allocation
