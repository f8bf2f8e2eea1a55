// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "pair/server.h"
#include "settings.h"

namespace lossy {

// Says when a handshake is complete, and keeps why one failed.
class Server : public pair::Server {
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
    void prepare(QDtls &dtls) override;
    void onCompleted(quint16 port) override { emit completed(port); }
    void onFailed(quint16 port, const QDtls &dtls) override;

    const Settings &settings;
    std::map<quint16, QString> errors;
};

} // namespace lossy
