// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "pair/server.h"

namespace soak {

// Echoes what it receives, and has a limit for peers that say nothing.
class Server : public pair::Server {
public:
    using pair::Server::Server;

    bool listen();
    // Forgets the peers that have said nothing for some seconds.
    void sweep();

    std::size_t peerCount() const { return peers.size(); }
    quint64 completed = 0; // handshakes
    quint64 failed = 0;

private:
    void onCompleted(quint16) override { ++completed; }
    void onFailed(quint16, const QDtls &) override { ++failed; }
    void onMessage(QDtls &dtls, const QByteArray &message) override;
};

} // namespace soak
