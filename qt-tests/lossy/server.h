// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "settings.h"

#include <QtNetwork/QDtls>
#include <QtNetwork/QDtlsClientVerifier>
#include <QtNetwork/QUdpSocket>

#include <functional>
#include <map>
#include <memory>

namespace lossy {

// A server on one socket, as Qt's example has it: a verifier, and a QDtls for each peer whose
// cookie was right.
class Server : public QObject {
    Q_OBJECT

public:
    explicit Server(const Settings &settings);

    // Binds the socket and shows the relay its port.
    bool start();
    bool isComplete(quint16 port) const;
    // Why the last QDtls of this peer failed.
    QString error(quint16 port) const;

signals:
    void completed(quint16 port);

private:
    void read();
    void receive(const QByteArray &datagram, quint16 port);
    void accept(const QByteArray &hello, quint16 port);
    void handleTimeout(quint16 port);
    void proceed(quint16 port, const QByteArray &datagram);

    const Settings &settings;
    QUdpSocket socket;
    QDtlsClientVerifier verifier;
    std::map<quint16, std::unique_ptr<QDtls>> peers;
    std::map<quint16, QString> errors;
};

} // namespace lossy
