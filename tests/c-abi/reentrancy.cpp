// SPDX-License-Identifier: MIT OR Apache-2.0
// S3: calls from inside callbacks. Run under valgrind these cases also show that nothing in use was
// freed.
#include "cases.h"
#include "pair.h"

#include <algorithm>
#include <functional>
#include <string>

using namespace harness;

namespace {

using Statuses = std::vector<int>;

// Runs `call` inside every send of the endpoint, instead of sending.
template <typename Call> void insteadOfSending(Program &program, Call call)
{
    program.onSend = [call](const Bytes &) {
        call();
        return QDTLS_SEND_RESULT_SENT;
    };
}

bool all(const Statuses &statuses, qdtls_status expected)
{
    const auto differs = [expected](int status) { return status != expected; };
    return !statuses.empty() && std::none_of(statuses.begin(), statuses.end(), differs);
}

// A pair whose client has the server's answer before it that makes it ask for the key.
std::unique_ptr<Pair> pairBeforePsk()
{
    auto pair = Pair::psk();
    CHECK_EQUAL(pair->server.start(pair->verifiedHello()), QDTLS_STATUS_OK);
    return pair;
}

qdtls_status proceedWithAll(Endpoint &to, Endpoint &from)
{
    while (!from.outbox.empty() && to.proceed(from.take()) == QDTLS_STATUS_OK) { }
    return to.status;
}

} // namespace

CASE(s3_abort_inside_send)
{
    Pair pair;
    Statuses inner;
    insteadOfSending(pair.client,
                     [&] { inner.push_back(qdtls_connection_abort(pair.client.handle)); });
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_ABORTED);
    CHECK(all(inner, QDTLS_STATUS_OK));
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
    pair.client.onSend = nullptr;
    pair.client.init(pair.clientTls.get());
    pair.connect();
    pair.checkMessages();
}

CASE(s3_abort_inside_send_silences_the_rest_of_the_flight)
{
    Pair pair(clientContext(), serverContext(makeIdentity(3600, 3000)));
    Statuses inner;
    insteadOfSending(pair.server,
                     [&] { inner.push_back(qdtls_connection_abort(pair.server.handle)); });
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_ABORTED);
    CHECK(inner == Statuses { QDTLS_STATUS_OK });
}

CASE(s3_reset_inside_send)
{
    Pair pair;
    Statuses inner;
    insteadOfSending(pair.client,
                     [&] { inner.push_back(qdtls_connection_reset(pair.client.handle)); });
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_ABORTED);
    CHECK(all(inner, QDTLS_STATUS_OK));
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
}

CASE(s3_free_inside_send)
{
    Pair pair(clientContext(), serverContext(makeIdentity(3600, 3000)));
    const Bytes hello = pair.verifiedHello();
    int calls = 0;
    int releasedInside = 0;
    insteadOfSending(pair.server, [&] {
        ++calls;
        pair.server.free();
        releasedInside = pair.server.released;
    });
    CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_ABORTED);
    CHECK_EQUAL(calls, 1);
    CHECK_EQUAL(releasedInside, 0);
    CHECK_EQUAL(pair.server.released, 1);
}

CASE(s3_free_inside_send_of_a_message)
{
    Pair pair;
    pair.connect();
    insteadOfSending(pair.client, [&] { pair.client.free(); });
    const Bytes message = bytesOf("last words");
    std::size_t written = 0;
    CHECK_EQUAL(
        qdtls_connection_write(pair.client.handle, message.data(), message.size(), &written),
        QDTLS_STATUS_ABORTED);
    CHECK_EQUAL(written, 0u);
    CHECK_EQUAL(pair.client.released, 1);
}

CASE(s3_free_inside_send_of_a_farewell)
{
    Pair pair;
    pair.connect();
    insteadOfSending(pair.client, [&] { pair.client.free(); });
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.released, 1);
}

CASE(s3_free_inside_a_retransmission)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    insteadOfSending(pair.client, [&] { pair.client.free(); });
    pair.client.waitUntilDue();
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_ABORTED);
    CHECK_EQUAL(pair.client.released, 1);
}

CASE(s3_shutdown_inside_send_says_farewell_afterwards)
{
    Pair pair;
    pair.connect();
    Statuses inner;
    std::vector<Bytes> sent;
    pair.client.onSend = [&](const Bytes &datagram) {
        if (sent.empty())
            inner.push_back(qdtls_connection_shutdown(pair.client.handle));
        sent.push_back(datagram);
        return QDTLS_SEND_RESULT_SENT;
    };
    CHECK_EQUAL(pair.client.write("last words"), QDTLS_STATUS_ABORTED);
    CHECK(all(inner, QDTLS_STATUS_OK));
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
    CHECK_EQUAL(sent.size(), 2u);
    CHECK_EQUAL(pair.server.read(sent[0]), "last words");
    CHECK_EQUAL(pair.server.read(sent[1]), "");
    CHECK_EQUAL(pair.server.end, QDTLS_STATUS_CLOSED);
}

CASE(s3_abort_inside_psk)
{
    auto pair = pairBeforePsk();
    Statuses inner;
    pair->client.onPsk = [&](const qdtls_psk_request &, qdtls_psk_reply *reply) {
        inner.push_back(qdtls_connection_abort(pair->client.handle));
        const Bytes key = bytesOf("a pre-shared key");
        inner.push_back(qdtls_psk_reply_set(reply, key.data(), key.size(), key.data(), key.size()));
    };
    CHECK_EQUAL(proceedWithAll(pair->client, pair->server), QDTLS_STATUS_ABORTED);
    CHECK(all(inner, QDTLS_STATUS_OK));
    CHECK(pair->client.outbox.empty());
    CHECK_EQUAL(pair->client.state(), QDTLS_STATE_NOT_STARTED);
}

CASE(s3_free_inside_psk)
{
    auto pair = pairBeforePsk();
    pair->client.onPsk = [&](const qdtls_psk_request &, qdtls_psk_reply *) { pair->client.free(); };
    qdtls_status status = QDTLS_STATUS_OK;
    while (pair->client.handle != nullptr)
        status = pair->client.proceed(pair->server.take());
    CHECK_EQUAL(status, QDTLS_STATUS_ABORTED);
    CHECK_EQUAL(pair->client.released, 1);
    CHECK(pair->client.outbox.empty());
}

CASE(s3_shutdown_inside_psk_is_out_of_place)
{
    auto pair = pairBeforePsk();
    Statuses inner;
    pair->client.onPsk = [&, reply = pair->client.onPsk](const qdtls_psk_request &request,
                                                         qdtls_psk_reply *to) {
        inner.push_back(qdtls_connection_shutdown(pair->client.handle));
        reply(request, to);
    };
    pair->deliver();
    CHECK(all(inner, QDTLS_STATUS_INVALID_STATE));
    pair->checkMessages();
}

CASE(s3_state_can_be_asked_for_inside_callbacks)
{
    auto pair = Pair::psk();
    Statuses states;
    const auto ask = [&] {
        std::int32_t state = -1;
        qdtls_connection_state(pair->client.handle, &state);
        states.push_back(state);
    };
    pair->client.onSend = [&](const Bytes &datagram) {
        ask();
        pair->client.outbox.push_back(datagram);
        return QDTLS_SEND_RESULT_SENT;
    };
    pair->client.onPsk = [&, reply = pair->client.onPsk](const qdtls_psk_request &request,
                                                         qdtls_psk_reply *to) {
        ask();
        reply(request, to);
    };
    pair->connect();
    const auto progressing = [](int state) { return state == QDTLS_STATE_IN_PROGRESS; };
    CHECK(states.size() > 3u);
    CHECK(std::all_of(states.begin(), states.end(), progressing));
    CHECK_EQUAL(pair->client.write("x"), QDTLS_STATUS_OK);
    CHECK_EQUAL(states.back(), QDTLS_STATE_COMPLETE);
}

// What a server's program does when it is asked for the time inside start.
struct InsideNow {
    const char *what;
    std::function<qdtls_status(Endpoint &)> inside;
    qdtls_status inner;
    qdtls_status outer;
    qdtls_state state;
};

static void checkInsideNow(const std::vector<InsideNow> &rows)
{
    for (const InsideNow &row : rows) {
        Pair pair;
        const Bytes hello = pair.verifiedHello();
        qdtls_status inner = QDTLS_STATUS_INTERNAL;
        pair.server.onNow = [&] { inner = row.inside(pair.server); };
        const qdtls_status outer = pair.server.start(hello);
        pair.server.onNow = nullptr;
        CHECK_EQUAL(std::string(row.what) + std::to_string(inner),
                    std::string(row.what) + std::to_string(row.inner));
        CHECK_EQUAL(outer, row.outer);
        CHECK_EQUAL(pair.server.state(), row.state);

        // The next handshake works, whatever happened in this one.
        CHECK_EQUAL(qdtls_connection_reset(pair.server.handle), QDTLS_STATUS_OK);
        pair.server.outbox.clear();
        pair.server.init(pair.serverTls.get());
        CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
        pair.deliver();
        pair.checkMessages();
    }
}

CASE(a3_whatever_now_does_inside_start_leaves_one_state)
{
    checkInsideNow({
        { "abort", [](Endpoint &server) { return qdtls_connection_abort(server.handle); },
          QDTLS_STATUS_OK, QDTLS_STATUS_ABORTED, QDTLS_STATE_NOT_STARTED },
        { "reset", [](Endpoint &server) { return qdtls_connection_reset(server.handle); },
          QDTLS_STATUS_OK, QDTLS_STATUS_ABORTED, QDTLS_STATE_NOT_STARTED },
        { "shut down", [](Endpoint &server) { return qdtls_connection_shutdown(server.handle); },
          QDTLS_STATUS_INVALID_STATE, QDTLS_STATUS_OK, QDTLS_STATE_IN_PROGRESS },
        { "start", [](Endpoint &server) { return server.start({ 1 }); }, QDTLS_STATUS_INVALID_STATE,
          QDTLS_STATUS_OK, QDTLS_STATE_IN_PROGRESS },
        { "continue", [](Endpoint &server) { return server.proceed({ 1 }); }, QDTLS_STATUS_BUSY,
          QDTLS_STATUS_OK, QDTLS_STATE_IN_PROGRESS },
    });
}

CASE(a12_init_tls_inside_now_inside_start_is_refused_or_ends_it)
{
    const ContextPtr spare = clientContext();
    const auto initTls = [&](Endpoint &server) {
        return qdtls_connection_init_tls(server.handle, SSL_new(spare.get()), nullptr, nullptr);
    };
    checkInsideNow({
        { "init TLS", initTls, QDTLS_STATUS_INVALID_STATE, QDTLS_STATUS_OK,
          QDTLS_STATE_IN_PROGRESS },
        { "reset and init TLS",
          [&](Endpoint &server) {
              qdtls_connection_reset(server.handle);
              return initTls(server);
          },
          QDTLS_STATUS_OK, QDTLS_STATUS_ABORTED, QDTLS_STATE_NOT_STARTED },
    });
}

CASE(a3_free_inside_now)
{
    Pair pair;
    const Bytes hello = pair.verifiedHello();
    pair.server.onNow = [&] { pair.server.free(); };
    CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_ABORTED);
    CHECK_EQUAL(pair.server.released, 1);
}

CASE(a24_a_read_that_a_restarted_client_ends_inside_send_is_aborted)
{
    Pair pair;
    pair.connect();
    Endpoint again(QDTLS_ROLE_CLIENT);
    again.init(pair.clientTls.get());
    CHECK_EQUAL(again.start(), QDTLS_STATUS_OK);
    insteadOfSending(pair.server, [&] { qdtls_connection_reset(pair.server.handle); });
    pair.server.read(again.take());
    CHECK_EQUAL(pair.server.status, QDTLS_STATUS_ABORTED);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);
}

CASE(nested_operations_of_a_handshake_are_busy)
{
    Pair pair;
    Statuses inner;
    insteadOfSending(pair.client, [&] {
        std::int32_t need = 0;
        bool retransmitted = false;
        qdtls_connection *handle = pair.client.handle;
        inner.push_back(qdtls_connection_continue(handle, nullptr, 0, &need));
        inner.push_back(qdtls_connection_handle_timeout(handle, &retransmitted));
    });
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK(all(inner, QDTLS_STATUS_BUSY));
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_IN_PROGRESS);
    CHECK_EQUAL(pair.client.lastError().status, QDTLS_STATUS_BUSY);
}

CASE(nested_operations_of_a_connection_are_busy)
{
    Pair pair;
    pair.connect();
    Statuses inner;
    insteadOfSending(pair.client, [&] {
        std::uint8_t bytes[4096] = { 'x' };
        std::size_t length = 0;
        std::int32_t end = 0;
        qdtls_connection *handle = pair.client.handle;
        inner.push_back(qdtls_connection_write(handle, bytes, 1, &length));
        inner.push_back(
            qdtls_connection_read(handle, nullptr, 0, bytes, sizeof bytes, &length, &end));
    });
    CHECK_EQUAL(pair.client.write("outer"), QDTLS_STATUS_OK);
    CHECK(all(inner, QDTLS_STATUS_BUSY));
    pair.client.onSend = nullptr;
    pair.checkMessages();
}

CASE(another_connection_may_be_used_inside_a_callback)
{
    Pair pair;
    pair.connect();
    std::string received;
    pair.client.onSend = [&](const Bytes &datagram) {
        std::uint8_t buffer[4096];
        std::size_t length = 0;
        std::int32_t end = 0;
        qdtls_connection_read(pair.server.handle, datagram.data(), datagram.size(), buffer,
                              sizeof buffer, &length, &end);
        received = std::string(buffer, buffer + length);
        return QDTLS_SEND_RESULT_SENT;
    };
    CHECK_EQUAL(pair.client.write("straight through"), QDTLS_STATUS_OK);
    CHECK_EQUAL(received, "straight through");
}

CASE(a_listener_can_be_used_and_freed_inside_its_send)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const Bytes hello = pair.client.take();
    Statuses inner;
    int releasedInside = 0;
    insteadOfSending(pair.listener, [&] {
        bool verified = true;
        inner.push_back(
            qdtls_listener_verify(pair.listener.handle, &pair.address, nullptr, 0, &verified));
        inner.push_back(verified ? QDTLS_STATUS_INTERNAL : QDTLS_STATUS_OK);
        pair.listener.free();
        releasedInside = pair.listener.released;
    });
    CHECK(!pair.listener.verify(hello));
    CHECK(all(inner, QDTLS_STATUS_OK));
    CHECK_EQUAL(releasedInside, 0);
    CHECK_EQUAL(pair.listener.released, 1);
}
