// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "client.h"
#include "server.h"

#include <QtCore/QTimer>

#include <memory>
#include <vector>

namespace lossy {

// All handshakes of a program, each begun a little after the one before.
class Run : public QObject {
    Q_OBJECT

public:
    explicit Run(const Settings &settings);

    bool start();

signals:
    void finished();

private:
    void startNext();
    void check(std::size_t index);
    void end(std::size_t index, const QString &outcome);

    const Settings &settings;
    Server server;
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<bool> hasEnded;
    std::size_t left;
    QTimer starts;
};

} // namespace lossy
