// SPDX-License-Identifier: MIT OR Apache-2.0
// The events of handshakes, connections and endpoints.
#include "cases.h"
#include "pair.h"
#include "socket_endpoint.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

using namespace harness;

namespace {

struct Seen {
    std::int32_t level;
    std::int32_t kind;
    std::string operation;
    std::string peer;
    std::string reason;
    std::string line;
    std::uint64_t suppressed;
    std::size_t size;
};

std::string textOf(const qdtls_address *peer)
{
    if (peer == nullptr)
        return {};
    std::string text = std::to_string(peer->family);
    for (const int byte : { 0, 1, 2, 3 })
        text += "." + std::to_string(peer->bytes[byte]);
    return text;
}

extern "C" {
static void keep(void *user, const qdtls_event *event)
{
    static_cast<std::vector<Seen> *>(user)->push_back(
        { event->level, event->kind, event->operation, textOf(event->peer), event->reason,
          event->line, event->suppressed, event->size });
}
}

// Collects events until the end of the scope.
struct Events {
    explicit Events(qdtls_level level = QDTLS_LEVEL_DEBUG)
    {
        CHECK_EQUAL(qdtls_set_event_handler(keep, &all, level), QDTLS_STATUS_OK);
    }
    ~Events() { qdtls_set_event_handler(nullptr, nullptr, QDTLS_LEVEL_ERROR); }

    std::size_t count(qdtls_event_kind kind) const
    {
        return std::size_t(std::count_if(all.begin(), all.end(),
                                         [kind](const Seen &one) { return one.kind == kind; }));
    }
    // The first of a kind.
    const Seen &first(qdtls_event_kind kind) const
    {
        const auto found = std::find_if(all.begin(), all.end(),
                                        [kind](const Seen &one) { return one.kind == kind; });
        if (found == all.end())
            fail(__FILE__, __LINE__, "no event of kind " + std::to_string(kind) + lines());
        return *found;
    }
    std::string lines() const
    {
        std::string text;
        for (const Seen &one : all)
            text += "\n" + one.line;
        return text;
    }

    std::vector<Seen> all;
};

bool contains(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

// The place of the cookie's length in a hello: behind the headers of record and message, version,
// random, and the session id, which is empty.
constexpr std::size_t cookieLength = 13 + 12 + 2 + 32 + 1;

Bytes withWrongCookie(Bytes hello)
{
    hello[cookieLength + hello[cookieLength]] ^= 1;
    return hello;
}

void refuseClient()
{
    Pair pair;
    pair.connectUntilVerdicts();
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 0), QDTLS_STATUS_OK);
}

void giveUp()
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    const ScopedSetting maximum(QDTLS_SETTING_TIMEOUT_MAX_MS, 20);
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    while (pair.client.status == QDTLS_STATUS_OK) {
        pair.client.waitUntilDue();
        pair.client.handleTimeout();
    }
    CHECK_EQUAL(pair.client.status, QDTLS_STATUS_TIMED_OUT);
}

// No cipher in common: the server refuses, and the client gets its alert.
void refuseHello()
{
    Pair pair;
    CHECK_EQUAL(SSL_CTX_set_cipher_list(pair.serverTls.get(), "ECDHE-ECDSA-AES256-GCM-SHA384"), 1);
    CHECK_EQUAL(SSL_CTX_set_cipher_list(pair.clientTls.get(), "ECDHE-ECDSA-AES128-GCM-SHA256"), 1);
    pair.client.init(pair.clientTls.get());
    pair.server.init(pair.serverTls.get());
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_HANDSHAKE_FAILED);
    while (!pair.server.outbox.empty())
        pair.client.proceed(pair.server.take());
    CHECK_EQUAL(pair.client.status, QDTLS_STATUS_ALERT_RECEIVED);
}

void returnAWrongCookie()
{
    Pair pair;
    CHECK(!pair.listener.verify(withWrongCookie(pair.verifiedHello())));
}

void restart()
{
    Pair pair;
    pair.connect();
    Endpoint again(QDTLS_ROLE_CLIENT);
    again.init(pair.clientTls.get());
    CHECK_EQUAL(again.start(), QDTLS_STATUS_OK);
    pair.server.read(again.take());
    CHECK_EQUAL(again.proceed(pair.server.take()), QDTLS_STATUS_OK);
    pair.server.read(again.take());
    CHECK_EQUAL(pair.server.status, QDTLS_STATUS_PEER_RESTARTED);
}

struct Row {
    void (*happen)();
    qdtls_event_kind kind;
    qdtls_level level;
    const char *operation;
    const char *reason;
};

const Row rows[] = {
    { refuseClient, QDTLS_EVENT_KIND_PEER_REFUSED, QDTLS_LEVEL_INFO, "verdict", "X509_V_ERR " },
    { giveUp, QDTLS_EVENT_KIND_TIMED_OUT, QDTLS_LEVEL_INFO, "DTLSv1_handle_timeout", "answer" },
    { refuseHello, QDTLS_EVENT_KIND_HANDSHAKE_FAILED, QDTLS_LEVEL_INFO, "SSL_do_handshake",
      "no shared cipher" },
    { refuseHello, QDTLS_EVENT_KIND_ALERT_RECEIVED, QDTLS_LEVEL_INFO, "SSL_do_handshake",
      "handshake failure" },
    { returnAWrongCookie, QDTLS_EVENT_KIND_COOKIE_REFUSED, QDTLS_LEVEL_DEBUG, "ClientHello",
      "cookie" },
    { restart, QDTLS_EVENT_KIND_PEER_RESTARTED, QDTLS_LEVEL_DEBUG, "ClientHello", "restarted" },
};

} // namespace

CASE(each_event_has_level_operation_peer_and_reason)
{
    waitForWarnings();
    for (const Row &row : rows) {
        const Events events;
        row.happen();
        const Seen &seen = events.first(row.kind);
        CHECK_EQUAL(seen.level, row.level);
        CHECK_EQUAL(seen.operation, row.operation);
        CHECK_EQUAL(seen.peer, "4.127.0.0.1");
        if (!contains(seen.reason, row.reason))
            fail(__FILE__, __LINE__, seen.line);
        CHECK_EQUAL(seen.suppressed, 0u);
        CHECK_EQUAL(seen.size, sizeof(qdtls_event));
        CHECK_EQUAL(seen.line, seen.operation + ": 127.0.0.1:5684: " + seen.reason);
        CHECK_EQUAL(events.count(row.kind), 1u);
    }
}

CASE(a_level_receives_what_matters_as_much_or_more)
{
    waitForWarnings();
    for (const Row &row : rows) {
        for (const qdtls_level level :
             { QDTLS_LEVEL_ERROR, QDTLS_LEVEL_WARNING, QDTLS_LEVEL_INFO, QDTLS_LEVEL_DEBUG }) {
            const Events events(level);
            row.happen();
            CHECK_EQUAL(events.count(row.kind), row.level <= level ? 1u : 0u);
        }
    }
}

CASE(a_handshake_without_trouble_is_no_event)
{
    waitForWarnings();
    const Events events;
    Pair pair;
    pair.connect();
    pair.checkMessages();
    CHECK_EQUAL(events.lines(), "");
}

// What is left out is counted, and no event is lost.
CASE(a8_a_flood_of_wrong_cookies_is_a_few_events_a_second)
{
    waitForWarnings();
    Pair pair;
    const Bytes hello = withWrongCookie(pair.verifiedHello());
    const Events events;
    const auto start = std::chrono::steady_clock::now();
    constexpr std::uint64_t all = 2000;
    for (std::uint64_t i = 0; i < all; ++i)
        CHECK(!pair.listener.verify(hello));
    // The library counts in whole milliseconds.
    const auto elapsed = std::chrono::steady_clock::now() - start + std::chrono::milliseconds(1);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
    CHECK(events.all.size() >= 8 && events.all.size() <= 8 * (std::size_t(seconds) + 1));

    waitForWarnings();
    CHECK(!pair.listener.verify(hello));
    std::uint64_t counted = 0;
    bool isLeftOut = false;
    for (const Seen &one : events.all) {
        counted += 1 + one.suppressed;
        // Nothing was, if the flood has ended just after a second began.
        if (one.suppressed > 0) {
            isLeftOut = true;
            const std::string left = "(" + std::to_string(one.suppressed) + " more like this)";
            CHECK(contains(one.line, left));
        }
    }
    CHECK_EQUAL(counted, all + 1);
    CHECK(isLeftOut);
}

CASE(an_endpoint_that_is_full_reports_its_limit)
{
    waitForWarnings();
    const Identity identity = makeIdentity();
    const ContextPtr serverTls = serverContext(identity);
    const ContextPtr clientTls = serverContext(identity); // verifies nothing
    SocketEndpoint server;
    SocketEndpoint first;
    SocketEndpoint second;
    server.listen(serverTls.get());
    CHECK_EQUAL(qdtls_endpoint_set_limit(server.handle, QDTLS_LIMIT_CONNECTIONS, 1),
                QDTLS_STATUS_OK);
    first.connect(clientTls.get(), server);
    workUntil({ &server, &first }, [&] { return !server.connections.empty(); });
    const Events events;
    second.connect(clientTls.get(), server);
    workUntil({ &server, &second },
              [&] { return events.count(QDTLS_EVENT_KIND_LIMIT_REACHED) > 0; });
    const Seen &seen = events.first(QDTLS_EVENT_KIND_LIMIT_REACHED);
    CHECK_EQUAL(seen.level, QDTLS_LEVEL_WARNING);
    CHECK_EQUAL(seen.peer, "4.127.0.0.1");
    CHECK(contains(seen.reason, "the limit is 1 connections"));
}

namespace {

struct Closing {
    qdtls_endpoint *endpoint;
    std::vector<Seen> all;
};

extern "C" {
static void freeEndpoint(void *user, const qdtls_event *event)
{
    auto *closing = static_cast<Closing *>(user);
    keep(&closing->all, event);
    qdtls_endpoint_free(closing->endpoint);
    closing->endpoint = nullptr;
}
}

} // namespace

// As any callback may.
CASE(a_handler_may_free_the_endpoint)
{
    const Identity identity = makeIdentity();
    const ContextPtr serverTls = serverContext(identity);
    const ContextPtr clientTls = serverContext(identity);
    SocketEndpoint server;
    server.listen(serverTls.get());
    SocketEndpoint client(true);
    client.onJudge = [](qdtls_connection *) { return 0; };
    client.connect(clientTls.get(), server);
    Closing closing { client.handle, {} };
    waitForWarnings();
    CHECK_EQUAL(qdtls_set_event_handler(freeEndpoint, &closing, QDTLS_LEVEL_INFO), QDTLS_STATUS_OK);
    qdtls_endpoint *const freed = std::exchange(client.handle, nullptr);
    while (closing.all.empty()) {
        workUntil({ &server }, [] { return true; });
        CHECK_EQUAL(qdtls_endpoint_process(server.handle, nullptr), QDTLS_STATUS_OK);
        CHECK_EQUAL(qdtls_endpoint_process(freed, nullptr), QDTLS_STATUS_OK);
    }
    qdtls_set_event_handler(nullptr, nullptr, QDTLS_LEVEL_ERROR);
    CHECK_EQUAL(closing.all[0].kind, QDTLS_EVENT_KIND_PEER_REFUSED);
    // No `ended` after the endpoint was freed.
    CHECK_EQUAL(client.journal.back(), "released");
    CHECK_EQUAL(client.journal.size(), 1u);
}

namespace {

// Whether a text shows some bytes, as they are or in hexadecimal.
bool shows(const std::string &text, const Bytes &secret)
{
    static const char digits[] = "0123456789abcdef";
    std::string hexadecimal;
    for (const std::uint8_t byte : secret) {
        hexadecimal += digits[byte >> 4];
        hexadecimal += digits[byte & 15];
    }
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return char(std::tolower(c)); });
    return contains(text, std::string(secret.begin(), secret.end()))
        || contains(lower, hexadecimal);
}

Bytes ticketOf(const Endpoint &client)
{
    Bytes session(4096);
    std::size_t length = 0;
    std::uint64_t hint = 0;
    CHECK_EQUAL(
        qdtls_connection_session(client.handle, session.data(), session.size(), &length, &hint),
        QDTLS_STATUS_OK);
    session.resize(length);
    return session;
}

} // namespace

// Handshakes that succeed and fail, with keys, cookies and a ticket that are known here.
CASE(r18_events_show_no_secret)
{
    waitForWarnings();
    const Bytes key = bytesOf("the key that is secret");
    const Bytes longKey(600, 'Q');
    const Bytes cookieSecret = bytesOf("a secret for cookies that is long");
    std::vector<Bytes> secrets { key, Bytes(8, 'Q'), cookieSecret, bytesOf("secret-identity") };

    const Events events;
    Cookie cookie;
    CHECK_EQUAL(qdtls_cookie_set_parameters(cookie.handle, QDTLS_HASH_SHA256, cookieSecret.data(),
                                            cookieSecret.size()),
                QDTLS_STATUS_OK);
    for (const Bytes &clientKey : { key, longKey, bytesOf("another key") }) {
        const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
        const ScopedSetting maximum(QDTLS_SETTING_TIMEOUT_MAX_MS, 20);
        auto pair = Pair::psk("hint");
        CHECK_EQUAL(qdtls_listener_set_cookie(pair->listener.handle, cookie.handle),
                    QDTLS_STATUS_OK);
        CHECK_EQUAL(qdtls_connection_set_cookie(pair->server.handle, cookie.handle),
                    QDTLS_STATUS_OK);
        pair->server.init(pair->serverTls.get());
        answerWithPsk(pair->client, clientKey, "secret-identity");
        answerWithPsk(pair->server, key);
        const Bytes hello = pair->verifiedHello();
        const auto cookieBytes = hello.begin() + cookieLength + 1;
        secrets.emplace_back(cookieBytes, cookieBytes + 8);
        CHECK(!pair->listener.verify(withWrongCookie(hello)));
        CHECK_EQUAL(pair->server.start(hello), QDTLS_STATUS_OK);
        while (!pair->server.outbox.empty() && pair->client.status == QDTLS_STATUS_OK) {
            pair->client.proceed(pair->server.take());
            while (!pair->client.outbox.empty())
                pair->server.proceed(pair->client.take());
        }
        while (pair->client.status == QDTLS_STATUS_OK && pair->client.timeout()
               && pair->client.state() == QDTLS_STATE_IN_PROGRESS) {
            pair->client.waitUntilDue();
            pair->client.handleTimeout();
        }
    }

    Pair resumed;
    for (Endpoint *side : { &resumed.client, &resumed.server }) {
        CHECK_EQUAL(qdtls_connection_set_resumption(side->handle, 1, nullptr, 0), QDTLS_STATUS_OK);
        side->init((side == &resumed.client ? resumed.clientTls : resumed.serverTls).get());
    }
    resumed.connect();
    const Bytes ticket = ticketOf(resumed.client);
    for (std::size_t place = 0; place + 16 <= ticket.size(); place += 16)
        secrets.emplace_back(ticket.begin() + place, ticket.begin() + place + 16);
    resumed.client.onSend = [](const Bytes &) { return QDTLS_SEND_RESULT_REFUSED; };
    CHECK_EQUAL(resumed.client.write("the message"), QDTLS_STATUS_SEND_REFUSED);
    secrets.push_back(bytesOf("the message"));

    for (const qdtls_event_kind kind :
         { QDTLS_EVENT_KIND_PSK_MISFIT, QDTLS_EVENT_KIND_TIMED_OUT, QDTLS_EVENT_KIND_COOKIE_REFUSED,
           QDTLS_EVENT_KIND_DATAGRAM_NOT_SENT, QDTLS_EVENT_KIND_HANDSHAKE_FAILED })
        events.first(kind);
    for (const Seen &one : events.all) {
        for (const Bytes &secret : secrets) {
            if (shows(one.line + one.operation + one.reason, secret))
                fail(__FILE__, __LINE__, one.line);
        }
        CHECK(std::none_of(one.line.begin(), one.line.end(),
                           [](unsigned char c) { return c < ' ' || c == 127; }));
    }
    // The search finds what is there.
    CHECK(shows("x" + std::string(key.begin(), key.end()), key)
          && shows("0A746865", bytesOf("the")));
}
