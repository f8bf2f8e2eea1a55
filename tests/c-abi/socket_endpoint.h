// SPDX-License-Identifier: MIT OR Apache-2.0
// An endpoint of the library on a socket of the loopback interface.
#ifndef HARNESS_SOCKET_ENDPOINT_H
#define HARNESS_SOCKET_ENDPOINT_H

#include "tls.h"
#include "udp.h"
#include "wire.h"

#include <functional>
#include <string>
#include <vector>

namespace harness {

class SocketEndpoint {
public:
    // One that judges has to have its function.
    explicit SocketEndpoint(bool judges = false, std::uint32_t ip = loopback,
                            std::uint16_t port = 0);
    ~SocketEndpoint();
    SocketEndpoint(const SocketEndpoint &) = delete;
    SocketEndpoint &operator=(const SocketEndpoint &) = delete;

    // With the functions below.
    qdtls_endpoint_callbacks callbacks();
    qdtls_address address() const;
    void listen(SSL_CTX *context);
    qdtls_connection *connect(SSL_CTX *context, const SocketEndpoint &server,
                              const std::string &name = {});
    void free();

    // What the library calls.
    std::function<void(qdtls_connection *, const Bytes &)> onReceived;
    std::function<void(qdtls_connection *)> onConnected;
    std::function<void(qdtls_connection *, std::int32_t)> onEnded;
    std::function<std::int32_t(qdtls_connection *)> onPrepare;
    std::function<std::int32_t(qdtls_connection *)> onJudge;
    std::function<void(qdtls_psk_reply *)> onPsk;
    std::function<void()> onRelease;

    // What has happened, in words and numbers of statuses.
    std::vector<std::string> journal;
    std::vector<qdtls_connection *> connections;

    const bool judges;
    UdpSocket socket;
    qdtls_endpoint *handle = nullptr;
};

// Lets endpoints work until the condition holds; fails the case after some seconds.
void workUntil(const std::vector<SocketEndpoint *> &endpoints, const std::function<bool()> &done);

} // namespace harness

#endif
