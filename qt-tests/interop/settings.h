// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The command line, as Qt's types.
#pragma once

#include <QtCore/QCoreApplication>
#include <QtCore/QList>
#include <QtNetwork/QSslConfiguration>

#include <chrono>

namespace interop {

enum class Closer { Ours, Peer, Nobody };

struct Settings {
    bool isServer = false;
    quint16 port = 0;
    QSslConfiguration configuration;
    QByteArray preSharedKey;
    quint16 mtuHint = 0; // none
    bool usesCookies = true;
    bool resumes = false; // connects twice, the second time with the session of the first
    bool restarts = false; // connects twice from one port, and does not close the first connection
    bool isCoap = false; // the peer speaks CoAP in place of echoing
    QList<int> sizes; // of the messages
    Closer closer = Closer::Ours;
    std::chrono::milliseconds limit;

    int connections() const { return resumes || restarts ? 2 : 1; }
};

// Ends the process if the command line is wrong.
Settings readSettings(const QCoreApplication &application);

} // namespace interop
