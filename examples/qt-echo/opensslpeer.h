// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "actor.h"

#include <QProcess>

struct Peer;

/// `openssl s_client`: a DTLS client that shares no code with Qt.
class OpensslPeer : public Actor {
    Q_OBJECT

public:
    OpensslPeer();
    ~OpensslPeer() override;

    void connectTo(const Peer &server, const QString &name, const QString &trustedCertificateFile);
    void sendLine(const QByteArray &text);

    /// Closes the standard input: s_client sends a close_notify and exits.
    void close();

private:
    void readOutput();
    void reportHandshake();
    void reportEcho();
    void reportExit(int exitCode, QProcess::ExitStatus status);

    QProcess m_process;
    QByteArray m_output; ///< Output since the last event.
    QByteArray m_sent;
    bool m_handshakeComplete = false;
};
