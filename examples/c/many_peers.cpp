// SPDX-License-Identifier: MIT OR Apache-2.0
//
// many_peers PORT CERTIFICATE KEY PEERS: serves thousands of clients in one thread, with a record
// for each, and what a server on a network needs: limits, and a clean end. Prints a line when PEERS
// clients have sent something, and ends when its standard input does.

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <qdtls_rs.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>

namespace {

// What the program knows about a client.
struct Client {
    std::uint64_t messages = 0;
};

struct Server {
    std::set<std::unique_ptr<Client>> clients;
    std::size_t active = 0; // clients that have sent something
    std::size_t wanted = 0;
};

Client *clientOf(const qdtls_connection *connection)
{
    return static_cast<Client *>(qdtls_connection_user(connection));
}

extern "C" {

std::int32_t prepare(void *user, qdtls_connection *connection)
{
    auto *server = static_cast<Server *>(user);
    const auto &client = *server->clients.insert(std::make_unique<Client>()).first;
    return qdtls_connection_set_user(connection, client.get());
}

void received(void *user, qdtls_connection *connection, const std::uint8_t *message,
              std::size_t length)
{
    auto *server = static_cast<Server *>(user);
    if (clientOf(connection)->messages++ == 0 && ++server->active == server->wanted)
        std::printf("%zu clients\n", server->active), std::fflush(stdout);
    std::size_t written = 0;
    qdtls_connection_write(connection, message, length, &written);
}

void ended(void *user, qdtls_connection *connection, std::int32_t)
{
    auto *server = static_cast<Server *>(user);
    for (auto client = server->clients.begin(); client != server->clients.end(); ++client) {
        if (client->get() == clientOf(connection)) {
            server->clients.erase(client);
            return;
        }
    }
}
}

int bound(const char *port)
{
    sockaddr_in own {};
    own.sin_family = AF_INET;
    own.sin_port = htons(std::uint16_t(std::atoi(port)));
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    // What comes while others are served waits in the kernel.
    const int buffer = 4 << 20;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    const bool good = bind(descriptor, reinterpret_cast<sockaddr *>(&own), sizeof own) == 0;
    return good ? descriptor : -1;
}

// Works until the standard input ends; returns the exit code.
int serve(qdtls_endpoint *endpoint, int descriptor)
{
    pollfd inputs[] = { { descriptor, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
    while (inputs[1].revents == 0) {
        bool running = false;
        std::uint64_t left = 0;
        qdtls_endpoint_timeout(endpoint, &running, &left);
        poll(inputs, 2, running ? int(left / 1000) + 1 : -1);
        if (qdtls_endpoint_process(endpoint, nullptr) != QDTLS_STATUS_OK)
            return 1;
    }
    return 0;
}

} // namespace

int main(int count, char **arguments)
{
    if (count != 5)
        return 2;
    const int descriptor = bound(arguments[1]);
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(DTLS_server_method()), SSL_CTX_free);
    if (SSL_CTX_use_certificate_chain_file(context.get(), arguments[2]) != 1
        || SSL_CTX_use_PrivateKey_file(context.get(), arguments[3], SSL_FILETYPE_PEM) != 1
        || qdtls_context_prepare(context.get()) != QDTLS_STATUS_OK)
        return 1;

    Server server;
    server.wanted = std::size_t(std::atoi(arguments[4]));
    qdtls_endpoint_callbacks callbacks {};
    callbacks.size = sizeof callbacks;
    callbacks.user = &server;
    callbacks.prepare = prepare;
    callbacks.received = received;
    callbacks.ended = ended;
    qdtls_endpoint *endpoint = nullptr;
    if (qdtls_endpoint_new(descriptor, &callbacks, &endpoint) != QDTLS_STATUS_OK
        || qdtls_endpoint_set_limit(endpoint, QDTLS_LIMIT_CONNECTIONS, 20000) != QDTLS_STATUS_OK
        || qdtls_endpoint_set_limit(endpoint, QDTLS_LIMIT_QUIET_S, 300) != QDTLS_STATUS_OK
        || qdtls_endpoint_listen(endpoint, context.get(), nullptr) != QDTLS_STATUS_OK)
        return 1;
    const int code = serve(endpoint, descriptor);
    // Says goodbye to all.
    qdtls_endpoint_free(endpoint);
    close(descriptor);
    return code;
}
