// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QByteArray>
#include <QString>

#include <optional>

/// One of the two messages of the cookie exchange (RFC 6347, 4.2.1), read from the wire.
struct Hello {
    enum Type { ClientHello = 1, HelloVerifyRequest = 3 };

    Type type;
    qsizetype cookieLength;

    QString cookieText() const;
};

/// Returns nothing unless the datagram starts with a valid ClientHello or HelloVerifyRequest.
std::optional<Hello> parseHello(const QByteArray &datagram);
