// SPDX-License-Identifier: MIT OR Apache-2.0
// Messages that reach an endpoint together: they are decrypted together, and the program gets them
// one by one.
#include "cases.h"
#include "socket_endpoint.h"

#include <functional>
#include <string>

using namespace harness;

namespace {

// For many queues: to make them takes long under valgrind.
struct Tls {
    Identity identity = makeIdentity();
    ContextPtr server = serverContext(identity);
    ContextPtr client = serverContext(identity); // verifies nothing
};

// A server with two clients, whose messages wait on its socket.
struct Queue {
    explicit Queue(const Tls &tls)
    {
        server.listen(tls.server.get());
        server.onReceived = [this](qdtls_connection *from, const Bytes &message) {
            story += std::string(from == first() ? "a" : "b") + std::to_string(message.size());
            if (story.size() == 2 && act)
                act(*this);
            std::size_t written = 0;
            const qdtls_status status =
                qdtls_connection_write(from, message.data(), message.size(), &written);
            story += status == QDTLS_STATUS_OK ? " " : "! ";
        };
        server.onEnded = [this](qdtls_connection *which, std::int32_t status) {
            story += std::string(which == first() ? "a" : "b") + ":" + std::to_string(status) + " ";
        };
        for (SocketEndpoint *client : { &a, &b }) {
            client->connect(tls.client.get(), server);
            const std::size_t before = server.connections.size();
            workUntil({ &server, client }, [&] {
                return server.connections.size() > before && !client->connections.empty();
            });
        }
    }

    qdtls_connection *first() const { return server.connections.at(0); }
    qdtls_connection *second() const { return server.connections.at(1); }

    static void send(SocketEndpoint &client, std::size_t length)
    {
        const Bytes message(length, 7);
        std::size_t written = 0;
        CHECK_EQUAL(
            qdtls_connection_write(client.connections.at(0), message.data(), length, &written),
            QDTLS_STATUS_OK);
    }

    // The server reads all that waits.
    void read()
    {
        for (bool more = true; more && server.handle != nullptr;)
            CHECK_EQUAL(qdtls_endpoint_process(server.handle, &more), QDTLS_STATUS_OK);
    }

    SocketEndpoint server, a, b;
    std::function<void(Queue &)> act; // with the first message
    std::string story; // what the server has got; "!" where it could not answer
};

struct Row {
    const char *what;
    std::function<void(Queue &)> act;
    std::string story;
};

} // namespace

CASE(messages_that_wait_respect_what_the_program_does_meanwhile)
{
    const Row rows[] = {
        { "nothing", [](Queue &) {}, "a1 b1 a2 b2 a3 b3 " },
        { "shutdown", [](Queue &all) { qdtls_connection_shutdown(all.first()); }, "a1! b1 b2 b3 " },
        { "reset", [](Queue &all) { qdtls_connection_reset(all.first()); }, "a1! b1 b2 b3 " },
        { "free", [](Queue &all) { qdtls_connection_free(all.first()); }, "a1! b1 b2 b3 " },
        { "close", [](Queue &all) { qdtls_endpoint_close(all.server.handle, all.first()); },
          "a1! b1 b2 b3 " },
        { "shutdown of the other", [](Queue &all) { qdtls_connection_shutdown(all.second()); },
          "a1 a2 a3 " },
        { "close of the other",
          [](Queue &all) { qdtls_endpoint_close(all.server.handle, all.second()); }, "a1 a2 a3 " },
        { "end of the endpoint", [](Queue &all) { all.server.free(); }, "a1! " },
    };
    const Tls tls;
    for (const Row &row : rows) {
        Queue queue(tls);
        queue.act = row.act;
        for (std::size_t length = 1; length <= 3; ++length) {
            Queue::send(queue.a, length);
            Queue::send(queue.b, length);
        }
        queue.read();
        CHECK_EQUAL(row.what + (": " + queue.story), row.what + (": " + row.story));
    }
}

CASE(messages_that_wait_come_before_the_end_of_their_connection)
{
    const Tls tls;
    Queue queue(tls);
    Queue::send(queue.a, 1);
    Queue::send(queue.b, 1);
    Queue::send(queue.a, 2);
    CHECK_EQUAL(qdtls_endpoint_close(queue.a.handle, queue.a.connections[0]), QDTLS_STATUS_OK);
    Queue::send(queue.b, 2);
    queue.read();
    CHECK_EQUAL(queue.story,
                "a1 b1 a2 a:" + std::to_string(std::int32_t(QDTLS_STATUS_CLOSED)) + " b2 ");
}

CASE(messages_that_wait_may_be_many_and_long_and_between_forged_ones)
{
    const Tls tls;
    Queue queue(tls);
    std::string expected;
    // A record of data that nobody has encrypted.
    const Bytes forged = { 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 32, 1, 1,
                           1,  1,    1,    1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1, 1,
                           1,  1,    1,    1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1, 1 };
    for (const std::size_t length :
         { 1u, 16384u, 2u, 16384u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 16384u }) {
        Queue::send(queue.a, length);
        queue.b.socket.send(forged, queue.server.socket.port());
        expected += "a" + std::to_string(length) + " ";
    }
    queue.read();
    CHECK_EQUAL(queue.story, expected);
    // They are answered in the same order.
    std::string answered;
    queue.a.onReceived = [&](qdtls_connection *, const Bytes &message) {
        answered += "a" + std::to_string(message.size()) + " ";
    };
    workUntil({ &queue.a }, [&] { return answered.size() == expected.size(); });
    CHECK_EQUAL(answered, expected);
}
