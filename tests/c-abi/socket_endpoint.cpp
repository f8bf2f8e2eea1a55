// SPDX-License-Identifier: MIT OR Apache-2.0
#include "socket_endpoint.h"
#include "cases.h"

#include <chrono>

namespace harness {

namespace {

constexpr int shortWaitMs = 10;
constexpr auto longest = std::chrono::seconds(60);

SocketEndpoint &of(void *user)
{
    return *static_cast<SocketEndpoint *>(user);
}

extern "C" {

static void received(void *user, qdtls_connection *connection, const std::uint8_t *message,
                     std::size_t length)
{
    const Bytes bytes(message, message + length);
    of(user).journal.push_back("received " + std::to_string(length));
    if (of(user).onReceived)
        of(user).onReceived(connection, bytes);
}

static void connected(void *user, qdtls_connection *connection)
{
    of(user).journal.push_back("connected");
    of(user).connections.push_back(connection);
    if (of(user).onConnected)
        of(user).onConnected(connection);
}

static void ended(void *user, qdtls_connection *connection, std::int32_t status)
{
    of(user).journal.push_back("ended " + std::to_string(status));
    if (of(user).onEnded)
        of(user).onEnded(connection, status);
}

static std::int32_t prepare(void *user, qdtls_connection *connection)
{
    return of(user).onPrepare ? of(user).onPrepare(connection) : 0;
}

static std::int32_t judge(void *user, qdtls_connection *connection)
{
    return of(user).onJudge(connection);
}

static void psk(void *user, const qdtls_psk_request *, qdtls_psk_reply *reply)
{
    if (of(user).onPsk)
        of(user).onPsk(reply);
}

static void release(void *user)
{
    of(user).journal.push_back("released");
    if (of(user).onRelease)
        of(user).onRelease();
}
}

} // namespace

SocketEndpoint::SocketEndpoint(bool itJudges, std::uint32_t ip, std::uint16_t port)
    : judges(itJudges)
    , socket(ip, port)
{
    const qdtls_endpoint_callbacks all = callbacks();
    CHECK_EQUAL(qdtls_endpoint_new(socket.handle, &all, &handle), QDTLS_STATUS_OK);
}

SocketEndpoint::~SocketEndpoint()
{
    free();
}

void SocketEndpoint::free()
{
    qdtls_endpoint_free(handle);
    handle = nullptr;
}

qdtls_endpoint_callbacks SocketEndpoint::callbacks()
{
    qdtls_endpoint_callbacks all {};
    all.size = sizeof all;
    all.user = this;
    all.received = received;
    all.connected = connected;
    all.ended = ended;
    all.prepare = prepare;
    all.judge = judges ? judge : nullptr;
    all.psk = psk;
    all.release = release;
    return all;
}

qdtls_address SocketEndpoint::address() const
{
    return { 4, 0, socket.port(), { 127, 0, 0, 1 } };
}

void SocketEndpoint::listen(SSL_CTX *context)
{
    CHECK_EQUAL(qdtls_endpoint_listen(handle, context, nullptr), QDTLS_STATUS_OK);
}

qdtls_connection *SocketEndpoint::connect(SSL_CTX *context, const SocketEndpoint &server,
                                          const std::string &name)
{
    const qdtls_address to = server.address();
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(name.data());
    qdtls_connection *connection = nullptr;
    CHECK_EQUAL(qdtls_endpoint_connect(handle, context, &to, bytes, name.size(), &connection),
                QDTLS_STATUS_OK);
    return connection;
}

void workUntil(const std::vector<SocketEndpoint *> &endpoints, const std::function<bool()> &done)
{
    const auto start = std::chrono::steady_clock::now();
    while (!done()) {
        CHECK(std::chrono::steady_clock::now() - start < longest);
        std::vector<const UdpSocket *> sockets;
        for (const SocketEndpoint *endpoint : endpoints)
            sockets.push_back(&endpoint->socket);
        waitForOneOf(sockets, shortWaitMs);
        for (SocketEndpoint *endpoint : endpoints) {
            if (endpoint->handle != nullptr)
                CHECK_EQUAL(qdtls_endpoint_process(endpoint->handle, nullptr), QDTLS_STATUS_OK);
        }
    }
}

} // namespace harness
