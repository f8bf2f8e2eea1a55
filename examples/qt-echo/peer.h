// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QHash>
#include <QHostAddress>
#include <QString>

/// The other end of an association: for UDP, an address and a port.
struct Peer {
    QHostAddress address;
    quint16 port = 0;

    bool operator==(const Peer &other) const
    {
        return port == other.port && address == other.address;
    }

    QString text() const
    {
        const bool bracketed = address.protocol() == QAbstractSocket::IPv6Protocol;
        return (bracketed ? QStringLiteral("[%1]:%2") : QStringLiteral("%1:%2"))
            .arg(address.toString())
            .arg(port);
    }
};

struct PeerHash {
    size_t operator()(const Peer &peer) const { return qHashMulti(0, peer.address, peer.port); }
};
