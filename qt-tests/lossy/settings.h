// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QtCore/QList>
#include <QtCore/QString>
#include <QtNetwork/QSslConfiguration>

namespace lossy {

// The relay's ports for one handshake: the client sends to one, and the server gets it from the
// other.
struct Ports {
    quint16 front;
    quint16 back;
};

struct Settings {
    QSslConfiguration client;
    QSslConfiguration server;
    int mtuHint = 0; // 0: as QDtls has it
    int limitMs = 0; // for one handshake
    int spacingMs = 0; // between the starts of two
    quint16 control = 0; // where the relay learns the server's port
    QList<Ports> links;
};

// The name in the server's certificate.
inline const QString serverName = QStringLiteral("lossy.example");

} // namespace lossy
