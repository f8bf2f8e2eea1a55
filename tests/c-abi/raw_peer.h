// SPDX-License-Identifier: MIT OR Apache-2.0
// A peer that is OpenSSL alone and does what this library refuses.
#ifndef HARNESS_RAW_PEER_H
#define HARNESS_RAW_PEER_H

#include "endpoint.h"

namespace harness {

class RawPeer {
public:
    RawPeer(SSL_CTX *context, qdtls_role role);

    int handshake();
    // Gives it a datagram.
    void receive(const Bytes &datagram);
    // Its output as one datagram; empty when there is none.
    Bytes take();
    // Shakes hands with our endpoint, which has an SSL.
    void connect(Endpoint &ours);
    std::string readMessage();

    SslPtr ssl;
    // The alerts it received: level and description.
    std::vector<std::pair<int, int>> alerts;
};

} // namespace harness

#endif
