// SPDX-License-Identifier: MIT OR Apache-2.0
#include "servers.h"

#include <poll.h>
#include <qdtls_rs.h>

#include <cstdint>

namespace bench {

namespace {

extern "C" void echo(void *, qdtls_connection *peer, const std::uint8_t *message,
                     std::size_t length)
{
    std::size_t written = 0;
    qdtls_connection_write(peer, message, length, &written);
}

} // namespace

void serveByEndpoint(int socket, SSL_CTX *context)
{
    qdtls_endpoint_callbacks callbacks {};
    callbacks.size = sizeof callbacks;
    callbacks.received = echo;
    qdtls_endpoint *endpoint = nullptr;
    require(qdtls_context_prepare(context) == QDTLS_STATUS_OK
                && qdtls_endpoint_new(socket, &callbacks, &endpoint) == QDTLS_STATUS_OK
                && qdtls_endpoint_listen(endpoint, context, nullptr) == QDTLS_STATUS_OK,
            "an endpoint");
    while (true) {
        bool running = false;
        std::uint64_t left = 0;
        qdtls_endpoint_timeout(endpoint, &running, &left);
        pollfd readable { socket, POLLIN, 0 };
        poll(&readable, 1, running ? int(left / 1000) + 1 : -1);
        qdtls_endpoint_process(endpoint, nullptr);
    }
}

} // namespace bench
