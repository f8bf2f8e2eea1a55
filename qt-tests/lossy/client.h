// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "settings.h"

#include <QtCore/QElapsedTimer>
#include <QtNetwork/QDtls>
#include <QtNetwork/QUdpSocket>

namespace lossy {

class Client : public QObject {
    Q_OBJECT

public:
    Client(const Settings &settings, Ports ports);

    void start();
    bool isComplete() const { return dtls.handshakeState() == QDtls::HandshakeComplete; }
    double elapsedMs() const { return double(sinceStart.nsecsElapsed()) / 1e6; }

    const Ports ports;
    // Why it failed.
    QString error;

signals:
    // Completed or failed.
    void ended();

private:
    void read();
    void receive(const QByteArray &datagram);
    void handleTimeout();
    void fail();

    QUdpSocket socket;
    QDtls dtls;
    QElapsedTimer sinceStart;
};

} // namespace lossy
