// SPDX-License-Identifier: MIT OR Apache-2.0
//
// `openssl s_client` and `openssl s_server`, as a peer that shares no code with Qt.
#pragma once

#include "pair/identity.h"

#include <QtCore/QProcess>
#include <QtCore/QTemporaryDir>

namespace hardening {

using namespace pair;

// How long a handshake with another process may take, under a checker that slows it down.
constexpr int patienceMs = 20'000;

class OpenSslProgram {
public:
    ~OpenSslProgram();

    // A client of the server on that port of localhost; `arguments` follow the usual ones.
    void startClient(quint16 port, const QStringList &arguments);
    // A server with that identity. It has a port when this returns true.
    bool startServer(const Identity &identity);

    // The output so far.
    const QByteArray &output();
    // Ends a client's input, at which it sends a close_notify and exits.
    bool endClient();
    quint16 port() const { return serverPort; }

private:
    void start(const QStringList &arguments);
    QString write(const QString &name, const QByteArray &contents) const;

    const QTemporaryDir directory;
    QProcess process;
    QByteArray printed;
    quint16 serverPort = 0;
};

} // namespace hardening
