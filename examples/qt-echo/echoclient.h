// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "dtlsendpoint.h"

/// Sends a text and expects the same text back.
class EchoClient : public DtlsEndpoint {
    Q_OBJECT

public:
    explicit EchoClient(const Credentials &credentials);

    /// Starts the handshake. The server's certificate must be valid for `name`.
    void connectTo(const Peer &server, const QString &name);
    void send(const QByteArray &text);
    void close();

private:
    void handleDatagram(const QByteArray &datagram, const Peer &sender) override;
    void checkEcho(const QByteArray &text, const Peer &sender);

    std::unique_ptr<QDtls> m_dtls;
    QByteArray m_sent;
};
