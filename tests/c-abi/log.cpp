// SPDX-License-Identifier: MIT OR Apache-2.0
// The log lines that a peer can cause.
#include "cases.h"
#include "pair.h"

#include <chrono>
#include <thread>

using namespace harness;

static std::vector<std::string> &lines()
{
    static std::vector<std::string> all;
    return all;
}

extern "C" {
static void keepLine(const char *line)
{
    lines().emplace_back(line);
}
}

// Collects the log until the end of the scope.
struct Log {
    Log()
    {
        lines().clear();
        CHECK_EQUAL(qdtls_set_logger(keepLine), QDTLS_STATUS_OK);
    }
    ~Log() { qdtls_set_logger(nullptr); }

    // A line at once and one a second for each of `kinds` kinds.
    std::size_t most(std::size_t kinds) const
    {
        // The library counts in whole milliseconds.
        const auto elapsed =
            std::chrono::steady_clock::now() - start + std::chrono::milliseconds(1);
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
        return kinds * (static_cast<std::size_t>(seconds) + 1);
    }

    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

static std::int32_t refuse(const Bytes &)
{
    return QDTLS_SEND_RESULT_REFUSED;
}

CASE(a8_refused_sends_are_logged_once_a_second)
{
    const Log log;
    Pair pair;
    pair.connect();
    pair.client.onSend = refuse;
    for (int i = 0; i < 500; ++i)
        CHECK_EQUAL(pair.client.write("a message"), QDTLS_STATUS_SEND_REFUSED);
    CHECK(lines().size() <= log.most(1));
    CHECK(!lines().empty());
}

// A server that starts with each datagram, as one without a listener does, and cannot answer.
static void startWithEach(Endpoint &server, SSL_CTX *context, const std::vector<Bytes> &datagrams)
{
    server.onSend = refuse;
    for (const Bytes &datagram : datagrams) {
        for (int i = 0; i < 50; ++i) {
            server.init(context);
            server.start(datagram);
            CHECK_EQUAL(qdtls_connection_reset(server.handle), QDTLS_STATUS_OK);
        }
    }
}

// A hello, pieces of it, and hellos of which one byte is wrong.
static std::vector<Bytes> junk()
{
    Endpoint client(QDTLS_ROLE_CLIENT);
    const ContextPtr context = clientContext();
    client.init(context.get());
    client.start();
    const Bytes hello = client.take();
    std::vector<Bytes> all { hello, bytesOf("junk"), Bytes(hello.begin(), hello.end() - 20) };
    for (const std::size_t place : { 0, 13, 16, 19, 24, 27, 60, 62 }) {
        Bytes wrong = hello;
        wrong[place] ^= 0x7f;
        all.push_back(wrong);
    }
    return all;
}

CASE(a8_junk_without_a_listener_is_logged_once_a_second)
{
    const std::vector<Bytes> datagrams = junk();
    const ContextPtr context = serverContext(makeIdentity(3600));
    for (const bool asksForCookies : { false, true }) {
        // The case before has had the line of this second.
        std::this_thread::sleep_for(std::chrono::seconds(1));
        const Log log;
        const Cookie cookie;
        Endpoint server(QDTLS_ROLE_SERVER);
        if (asksForCookies) {
            CHECK_EQUAL(qdtls_connection_set_cookie(server.handle, cookie.handle), QDTLS_STATUS_OK);
        }
        startWithEach(server, context.get(), datagrams);
        // A send that was refused, and a callback that refuses.
        CHECK(lines().size() <= log.most(2));
        CHECK(asksForCookies || !lines().empty());
    }
}

// Each hello that asks for it makes the program look a key up.
CASE(a8_keys_that_do_not_fit_are_logged_once_a_second)
{
    const Log log;
    for (int i = 0; i < 20; ++i) {
        auto pair = Pair::psk();
        answerWithPsk(pair->client, Bytes(600, 's'));
        CHECK_EQUAL(pair->server.start(pair->verifiedHello()), QDTLS_STATUS_OK);
        while (!pair->server.outbox.empty() && pair->client.status == QDTLS_STATUS_OK)
            pair->client.proceed(pair->server.take());
        CHECK_EQUAL(pair->client.status, QDTLS_STATUS_PSK_REJECTED);
    }
    CHECK(lines().size() <= log.most(1));
}
