// SPDX-License-Identifier: MIT OR Apache-2.0
// Endpoints: many connections on one real socket.
#include "cases.h"
#include "socket_endpoint.h"

#include <algorithm>
#include <memory>

using namespace harness;

namespace {

using Journal = std::vector<std::string>;

// A server that sends each message back, and contexts for both sides.
struct World {
    World()
    {
        server.listen(serverTls.get());
        server.onReceived = [](qdtls_connection *client, const Bytes &message) {
            std::size_t written = 0;
            qdtls_connection_write(client, message.data(), message.size(), &written);
        };
    }

    void work(const std::function<bool()> &done) { workUntil({ &server, &client }, done); }
    void connect()
    {
        client.connect(clientTls.get(), server);
        work([this] { return !client.connections.empty() && !server.connections.empty(); });
    }

    Identity identity = makeIdentity();
    ContextPtr serverTls = serverContext(identity);
    ContextPtr clientTls = serverContext(identity); // verifies nothing
    SocketEndpoint server;
    SocketEndpoint client;
};

std::size_t countOf(const Journal &journal, const std::string &entry)
{
    return std::size_t(std::count(journal.begin(), journal.end(), entry));
}

bool has(const Journal &journal, const std::string &entry)
{
    return countOf(journal, entry) > 0;
}

std::string ended(qdtls_status status)
{
    return "ended " + std::to_string(std::int32_t(status));
}

std::pair<std::size_t, std::size_t> countsOf(const SocketEndpoint &endpoint)
{
    std::pair<std::size_t, std::size_t> counts;
    CHECK_EQUAL(qdtls_endpoint_count(endpoint.handle, &counts.first, &counts.second),
                QDTLS_STATUS_OK);
    return counts;
}

} // namespace

CASE(endpoints_exchange_messages_of_any_length)
{
    World world;
    world.connect();
    for (const std::size_t length : { 1u, 100u, 1200u, 16384u }) {
        const Bytes message(length, std::uint8_t(length));
        std::size_t written = 0;
        CHECK_EQUAL(
            qdtls_connection_write(world.client.connections[0], message.data(), length, &written),
            QDTLS_STATUS_OK);
        const std::string entry = "received " + std::to_string(length);
        world.work([&] { return has(world.client.journal, entry); });
    }
    CHECK((countsOf(world.server) == std::pair<std::size_t, std::size_t>(1, 0)));
    CHECK_EQUAL(qdtls_endpoint_close(world.client.handle, world.client.connections[0]),
                QDTLS_STATUS_OK);
    world.work([&] { return has(world.server.journal, ended(QDTLS_STATUS_CLOSED)); });
    CHECK_EQUAL(countsOf(world.server).first, 0u);
    CHECK_EQUAL(countsOf(world.client).first, 0u);
}

CASE(an_endpoint_serves_many_clients)
{
    World world;
    std::vector<std::unique_ptr<SocketEndpoint>> clients(30);
    std::vector<SocketEndpoint *> all { &world.server };
    for (auto &client : clients) {
        client = std::make_unique<SocketEndpoint>();
        client->connect(world.clientTls.get(), world.server);
        client->onConnected = [&](qdtls_connection *server) {
            std::size_t written = 0;
            const auto *bytes = reinterpret_cast<const std::uint8_t *>(&client);
            qdtls_connection_write(server, bytes, sizeof client, &written);
        };
        all.push_back(client.get());
    }
    const std::string echo = "received " + std::to_string(sizeof clients[0]);
    workUntil(all, [&] {
        return std::all_of(clients.begin(), clients.end(),
                           [&](const auto &client) { return has(client->journal, echo); });
    });
    CHECK((countsOf(world.server) == std::pair<std::size_t, std::size_t>(30, 0)));
}

CASE(an_endpoint_is_server_and_client_at_once)
{
    World world;
    world.client.listen(world.serverTls.get());
    SocketEndpoint third;
    third.connect(world.clientTls.get(), world.client);
    world.client.connect(world.clientTls.get(), world.server);
    workUntil({ &world.server, &world.client, &third }, [&] {
        return countOf(world.client.journal, "connected") == 2 && has(third.journal, "connected");
    });
}

CASE(an_endpoint_has_one_connection_with_a_peer)
{
    World world;
    world.client.connect(world.clientTls.get(), world.server);
    const qdtls_address to = world.server.address();
    qdtls_connection *second = nullptr;
    CHECK_EQUAL(qdtls_endpoint_connect(world.client.handle, world.clientTls.get(), &to, nullptr, 0,
                                       &second),
                QDTLS_STATUS_INVALID_STATE);
    CHECK(second == nullptr);
    world.work([&] { return has(world.client.journal, "connected"); });
}

CASE(an_endpoints_connections_know_their_peer_and_user)
{
    World world;
    int mark = 0;
    world.server.onPrepare = [&](qdtls_connection *client) {
        return std::int32_t(qdtls_connection_set_user(client, &mark));
    };
    world.connect();
    qdtls_connection *client = world.server.connections[0];
    qdtls_address peer {};
    CHECK_EQUAL(qdtls_connection_peer(client, &peer), QDTLS_STATUS_OK);
    CHECK_EQUAL(peer.port, world.client.address().port);
    CHECK_EQUAL(peer.family, 4);
    CHECK(qdtls_connection_user(client) == &mark);
    CHECK(qdtls_connection_user(world.client.connections[0]) == nullptr);
}

CASE(an_endpoint_refuses_what_the_program_refuses)
{
    World world;
    world.server.onPrepare = [](qdtls_connection *) { return 1; };
    world.client.connect(world.clientTls.get(), world.server);
    int rounds = 0;
    world.work([&] { return ++rounds > 20; });
    CHECK(world.server.journal.empty());
    CHECK_EQUAL(countsOf(world.server).first, 0u);

    SocketEndpoint refusing;
    refusing.onPrepare = world.server.onPrepare;
    const qdtls_address to = world.server.address();
    qdtls_connection *connection = nullptr;
    CHECK_EQUAL(qdtls_endpoint_connect(refusing.handle, world.clientTls.get(), &to, nullptr, 0,
                                       &connection),
                QDTLS_STATUS_ABORTED);

    SocketEndpoint leaving;
    leaving.onPrepare = [&](qdtls_connection *) { return leaving.free(), 0; };
    CHECK_EQUAL(
        qdtls_endpoint_connect(leaving.handle, world.clientTls.get(), &to, nullptr, 0, &connection),
        QDTLS_STATUS_ABORTED);
    CHECK(connection == nullptr);
}

CASE(an_endpoint_refuses_a_certificate_with_errors_unless_the_program_accepts_it)
{
    World world;
    world.clientTls = clientContext(); // notes that nobody has signed it
    world.client.connect(world.clientTls.get(), world.server);
    world.work([&] { return has(world.client.journal, ended(QDTLS_STATUS_PEER_REFUSED)); });
    CHECK(!has(world.client.journal, "connected"));
    world.work([&] { return has(world.server.journal, ended(QDTLS_STATUS_CLOSED)); });

    for (const std::int32_t verdict : { 0, 1 }) {
        SocketEndpoint judge(true);
        judge.onJudge = [&](qdtls_connection *) { return verdict; };
        judge.connect(world.clientTls.get(), world.server);
        const std::string outcome = verdict != 0 ? "connected" : ended(QDTLS_STATUS_PEER_REFUSED);
        workUntil({ &judge, &world.server }, [&] { return !judge.journal.empty(); });
        CHECK_EQUAL(judge.journal.back(), outcome);
    }
}

CASE(an_endpoint_asks_for_pre_shared_keys)
{
    const ContextPtr context = pskContext();
    SocketEndpoint server;
    SocketEndpoint client;
    server.listen(context.get());
    for (SocketEndpoint *side : { &server, &client }) {
        side->onPsk = [](qdtls_psk_reply *reply) {
            static const std::uint8_t key[] = { 1, 2, 3 };
            qdtls_psk_reply_set(reply, key, 1, key, sizeof key);
        };
    }
    client.connect(context.get(), server);
    workUntil({ &server, &client },
              [&] { return has(client.journal, "connected") && has(server.journal, "connected"); });
}

CASE(a_client_that_begins_again_is_served_again)
{
    World world;
    world.connect();
    qdtls_connection_free(world.client.connections[0]); // resets it
    world.client.connections.clear();
    // Its endpoint forgets it, and begins again.
    CHECK_EQUAL(qdtls_endpoint_process(world.client.handle, nullptr), QDTLS_STATUS_OK);
    CHECK_EQUAL(countsOf(world.client).first, 0u);
    world.client.connect(world.clientTls.get(), world.server);
    world.work([&] { return countOf(world.client.journal, "connected") == 2; });
    world.work([&] { return countOf(world.server.journal, "connected") == 2; });
    CHECK(has(world.server.journal, ended(QDTLS_STATUS_PEER_RESTARTED)));
    CHECK_EQUAL(countsOf(world.server).first, 1u);
}

CASE(a_connection_that_the_program_ends_is_forgotten)
{
    World world;
    world.connect();
    CHECK_EQUAL(qdtls_connection_shutdown(world.client.connections[0]), QDTLS_STATUS_OK);
    bool running = false;
    std::uint64_t left = 1;
    CHECK_EQUAL(qdtls_endpoint_timeout(world.client.handle, &running, &left), QDTLS_STATUS_OK);
    CHECK(running && left == 0);
    CHECK_EQUAL(qdtls_endpoint_process(world.client.handle, nullptr), QDTLS_STATUS_OK);
    CHECK_EQUAL(countsOf(world.client).first, 0u);
    CHECK_EQUAL(qdtls_endpoint_timeout(world.client.handle, &running, &left), QDTLS_STATUS_OK);
    CHECK(!running);
    world.work([&] { return has(world.server.journal, ended(QDTLS_STATUS_CLOSED)); });

    // Also inside its callback.
    world.server.onConnected = [](qdtls_connection *client) {
        CHECK_EQUAL(qdtls_connection_shutdown(client), QDTLS_STATUS_OK);
    };
    world.client.connect(world.clientTls.get(), world.server);
    world.work([&] { return has(world.client.journal, ended(QDTLS_STATUS_CLOSED)); });
    CHECK_EQUAL(countsOf(world.server).first, 0u);
}

#ifdef __linux__ // elsewhere from the one that routing chooses
CASE(an_endpoint_answers_from_the_address_that_its_peer_has_sent_to)
{
    World world;
    SocketEndpoint server(false, anyAddress);
    server.listen(world.serverTls.get());
    // Datagrams of one length, which the system cuts out of one.
    server.onReceived = [](qdtls_connection *client, const Bytes &message) {
        std::size_t written = 0;
        for (int i = 0; i < 3; ++i)
            qdtls_connection_write(client, message.data(), message.size(), &written);
    };
    qdtls_address to = server.address();
    to.bytes[3] = 2; // routing would choose 127.0.0.1 for the answers
    world.client.socket.connectTo(loopback + 1, to.port);

    qdtls_connection *connection = nullptr;
    CHECK_EQUAL(qdtls_endpoint_connect(world.client.handle, world.clientTls.get(), &to, nullptr, 0,
                                       &connection),
                QDTLS_STATUS_OK);
    workUntil({ &server, &world.client }, [&] { return has(world.client.journal, "connected"); });
    const Bytes message(100, 1);
    std::size_t written = 0;
    qdtls_connection_write(connection, message.data(), message.size(), &written);
    workUntil({ &server, &world.client },
              [&] { return countOf(world.client.journal, "received 100") == 3; });
    // Outside of a callback, too.
    qdtls_connection_write(server.connections[0], message.data(), message.size(), &written);
    workUntil({ &server, &world.client },
              [&] { return countOf(world.client.journal, "received 100") == 4; });
}
#endif

CASE(an_endpoint_bounds_its_connections)
{
    World world;
    CHECK_EQUAL(qdtls_endpoint_set_limit(world.server.handle, QDTLS_LIMIT_CONNECTIONS, 1),
                QDTLS_STATUS_OK);
    world.connect();
    SocketEndpoint second;
    second.connect(world.clientTls.get(), world.server);
    int rounds = 0;
    workUntil({ &world.server, &second }, [&] { return ++rounds > 20; });
    CHECK(second.journal.empty());
    CHECK_EQUAL(countsOf(world.server).first, 1u);
}

CASE(an_endpoint_ends_handshakes_and_connections_whose_time_is_over)
{
    World world;
    // Not the handshake's here: the first one of a process takes longer under valgrind. Of one side
    // at a time, which then ends the connection before the other can.
    struct Sides {
        SocketEndpoint &limited, &other;
    };
    for (const Sides &sides :
         { Sides { world.server, world.client }, Sides { world.client, world.server } }) {
        CHECK_EQUAL(qdtls_endpoint_set_limit(sides.limited.handle, QDTLS_LIMIT_QUIET_S, 1),
                    QDTLS_STATUS_OK);
        world.connect();
        world.work([&] { return has(sides.other.journal, ended(QDTLS_STATUS_CLOSED)); });
        CHECK(has(sides.limited.journal, ended(QDTLS_STATUS_TIMED_OUT)));
        CHECK_EQUAL(qdtls_endpoint_set_limit(sides.limited.handle, QDTLS_LIMIT_QUIET_S, 0),
                    QDTLS_STATUS_OK);
    }

    SocketEndpoint silent; // does not listen
    SocketEndpoint client;
    CHECK_EQUAL(qdtls_endpoint_set_limit(client.handle, QDTLS_LIMIT_HANDSHAKE_S, 1),
                QDTLS_STATUS_OK);
    client.connect(world.clientTls.get(), silent);
    bool running = false;
    std::uint64_t left = 0;
    CHECK_EQUAL(qdtls_endpoint_timeout(client.handle, &running, &left), QDTLS_STATUS_OK);
    CHECK(running && left <= 1000000);
    workUntil({ &client, &silent },
              [&] { return has(client.journal, ended(QDTLS_STATUS_TIMED_OUT)); });
    CHECK_EQUAL(qdtls_endpoint_timeout(client.handle, &running, &left), QDTLS_STATUS_OK);
    CHECK(!running);
}

CASE(an_endpoint_may_be_freed_or_left_in_any_of_its_callbacks)
{
    using Scene = void (*)(SocketEndpoint &, qdtls_connection *);
    const Scene scenes[] = {
        [](SocketEndpoint &endpoint, qdtls_connection *) { endpoint.free(); },
        [](SocketEndpoint &endpoint, qdtls_connection *connection) {
            qdtls_endpoint_close(endpoint.handle, connection);
        },
        [](SocketEndpoint &, qdtls_connection *connection) { qdtls_connection_free(connection); },
        [](SocketEndpoint &endpoint, qdtls_connection *) {
            CHECK_EQUAL(qdtls_endpoint_process(endpoint.handle, nullptr), QDTLS_STATUS_BUSY);
        },
    };
    for (const Scene scene : scenes) {
        for (const std::string where : { "prepare", "connected", "received", "ended" }) {
            World world;
            bool reached = false;
            const auto act = [&](const char *place, qdtls_connection *connection) {
                if (where == place && !reached) {
                    reached = true;
                    scene(world.server, connection);
                }
            };
            world.server.onPrepare = [&](qdtls_connection *c) { return act("prepare", c), 0; };
            world.server.onConnected = [&](qdtls_connection *c) { act("connected", c); };
            world.server.onReceived = [&](qdtls_connection *c, const Bytes &) {
                act("received", c);
            };
            world.server.onEnded = [&](qdtls_connection *c, std::int32_t) { act("ended", c); };
            world.client.onConnected = [&](qdtls_connection *server) {
                const Bytes message { 1 };
                std::size_t written = 0;
                qdtls_connection_write(server, message.data(), 1, &written);
                if (where == "ended")
                    qdtls_endpoint_close(world.client.handle, server);
            };
            world.client.connect(world.clientTls.get(), world.server);
            world.work([&] { return reached; });
            int rounds = 0;
            world.work([&] { return ++rounds > 3; });
            world.server.free();
            CHECK_EQUAL(countOf(world.server.journal, "released"), 1u);
        }
    }
}

// The network's report of an earlier datagram says nothing about those that wait, or go out now.
CASE(an_icmp_error_of_an_earlier_datagram_holds_up_no_other)
{
    World world;
    SocketEndpoint client;
    const auto isRefused = [&] {
        const std::uint16_t nobody = UdpSocket().port();
        client.socket.connectTo(loopback, nobody);
        client.socket.send({ 1 }, nobody);
        return nobody;
    };
    {
        const UdpSocket peer(loopback, isRefused());
        for (int i = 0; i < 3; ++i)
            peer.send({ 1 }, client.socket.port());
        CHECK(client.socket.isReadable());
        CHECK_EQUAL(qdtls_endpoint_process(client.handle, nullptr), QDTLS_STATUS_OK);
        CHECK(!client.socket.isReadable());
    }
    const std::uint16_t port = isRefused();
    SocketEndpoint server(false, loopback, port);
    server.listen(world.serverTls.get());
    client.connect(world.clientTls.get(), server);
    CHECK(server.socket.isReadable()); // the hello is not lost
    workUntil({ &server, &client }, [&] { return has(client.journal, "connected"); });
}
