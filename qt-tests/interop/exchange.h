// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One side's connection to the peer: handshake, messages that come back, end.
#pragma once

#include "settings.h"

#include <QtCore/QByteArrayList>
#include <QtCore/QElapsedTimer>
#include <QtCore/QObject>
#include <QtCore/QTimer>
#include <QtNetwork/QDtls>
#include <QtNetwork/QUdpSocket>

#include <memory>

namespace interop {

class Exchange : public QObject {
    Q_OBJECT

public:
    explicit Exchange(const Settings &settings);

    virtual void start() = 0;
    // Prints why, and ends the program.
    void fail(const QByteArray &why);

protected:
    virtual void take(const QByteArray &datagram, const QHostAddress &sender, quint16 port) = 0;
    // The connection is over as it should be, and others are to follow.
    virtual void next() = 0;

    void listen();
    void create(QSslSocket::SslMode mode, const QHostAddress &peer, quint16 port);
    void advance(const QByteArray &datagram = {});
    // Hands over a datagram of an established connection. False if it began a new handshake.
    bool decrypt(const QByteArray &datagram);

    const Settings settings;
    std::unique_ptr<QUdpSocket> socket;
    std::unique_ptr<QDtls> dtls;
    QByteArray session;
    int ended = 0; // connections
    bool isOver = false; // the present connection

private:
    void readDatagrams();
    void established();
    void sendMessage();
    bool closedByPeer();
    void takeText(const QByteArray &text);
    void takeCoap(const QByteArray &message);
    void messageReturned();
    void close();
    void end(const char *closer);
    void failWith(const QByteArray &what);
    QByteArray reason() const;

    QElapsedTimer clock;
    QTimer deadline;
    bool awaitsClient; // no datagram came yet
    QTimer again; // a message or its echo may be lost
    QByteArrayList received;
    int message = 0; // the one at work
    qsizetype returned = 0; // bytes of it
};

} // namespace interop
