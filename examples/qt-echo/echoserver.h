// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "dtlsendpoint.h"

#include <QDtlsClientVerifier>

#include <unordered_map>

/// Sends every datagram back to the client it came from.
class EchoServer : public DtlsEndpoint {
    Q_OBJECT

public:
    explicit EchoServer(const Credentials &credentials);

    /// With port 0 the system chooses one.
    void listen(const Peer &wanted);
    Peer endpoint() const;

    /// Sends a close_notify to every client.
    void closeSessions();

private:
    void handleDatagram(const QByteArray &datagram, const Peer &sender) override;
    void verifyClient(const QByteArray &datagram, const Peer &sender);
    void startSession(const Peer &client);

    QDtlsClientVerifier m_verifier;
    std::unordered_map<Peer, std::unique_ptr<QDtls>, PeerHash> m_sessions;
};
