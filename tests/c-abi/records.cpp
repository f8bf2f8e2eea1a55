// SPDX-License-Identifier: MIT OR Apache-2.0
// Messages, and how they travel in datagrams.
#include "cases.h"
#include "pair.h"

#include <utility>

using namespace harness;

static Bytes joined(std::initializer_list<Bytes> datagrams)
{
    Bytes all;
    for (const Bytes &datagram : datagrams)
        all.insert(all.end(), datagram.begin(), datagram.end());
    return all;
}

static Bytes encrypted(Endpoint &from, const std::string &message)
{
    CHECK_EQUAL(from.write(message), QDTLS_STATUS_OK);
    return from.take();
}

CASE(s6_all_records_of_a_datagram_are_read_in_order)
{
    Pair pair;
    pair.connect();
    const Bytes one = encrypted(pair.client, "one ");
    const Bytes two = encrypted(pair.client, "two ");
    const Bytes three = encrypted(pair.client, "three");
    CHECK_EQUAL(pair.server.read(joined({ one, two, three })), "one two three");
    pair.checkMessages();
}

CASE(s24_the_rest_of_a_datagram_that_is_no_record_is_dropped)
{
    Pair pair;
    pair.connect();
    const Bytes one = encrypted(pair.client, "one");
    Bytes cut = encrypted(pair.client, "two");
    cut.pop_back();
    CHECK_EQUAL(pair.server.read(joined({ one, cut })), "one");
    CHECK_EQUAL(pair.server.read({}), "");
    pair.checkMessages();
}

CASE(a_message_behind_the_last_flight_is_kept)
{
    Pair pair;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    while (!pair.server.outbox.empty())
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    while (!pair.client.outbox.empty())
        CHECK_EQUAL(pair.server.proceed(pair.client.take()), QDTLS_STATUS_OK);
    acceptWhenAsked(pair.server);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_COMPLETE);

    Bytes lastFlight;
    while (!pair.server.outbox.empty())
        lastFlight = joined({ lastFlight, pair.server.take() });
    const Bytes message = encrypted(pair.server, "right away");
    CHECK_EQUAL(pair.client.proceed(joined({ lastFlight, message })), QDTLS_STATUS_OK);
    acceptWhenAsked(pair.client);
    CHECK_EQUAL(pair.client.read({}), "right away");
}

CASE(a_message_before_the_last_flight_is_kept)
{
    Pair pair;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    while (!pair.server.outbox.empty())
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    while (!pair.client.outbox.empty())
        CHECK_EQUAL(pair.server.proceed(pair.client.take()), QDTLS_STATUS_OK);
    acceptWhenAsked(pair.server);
    const std::deque<Bytes> lastFlight = std::exchange(pair.server.outbox, {});

    CHECK_EQUAL(pair.client.proceed(encrypted(pair.server, "early")), QDTLS_STATUS_OK);
    for (const Bytes &datagram : lastFlight)
        CHECK_EQUAL(pair.client.proceed(datagram), QDTLS_STATUS_OK);
    acceptWhenAsked(pair.client);
    // OpenSSL 1.1.1 keeps no data of an epoch that is yet to begin: there it got lost, as a
    // datagram may.
    const bool kept = OpenSSL_version_num() >= 0x30000000L;
    CHECK_EQUAL(pair.client.read(encrypted(pair.server, " and late")),
                kept ? "early and late" : " and late");
}

CASE(a_buffer_too_small_consumes_nothing)
{
    Pair pair;
    pair.connect();
    const Bytes datagram = encrypted(pair.client, "a message");
    Bytes buffer(datagram.size() - 1);
    std::size_t length = 77;
    std::int32_t end = 77;
    CHECK_EQUAL(qdtls_connection_read(pair.server.handle, datagram.data(), datagram.size(),
                                      buffer.data(), buffer.size(), &length, &end),
                QDTLS_STATUS_BUFFER_TOO_SMALL);
    CHECK_EQUAL(length, 77u);
    CHECK_EQUAL(end, 77);
    CHECK_EQUAL(pair.server.read(datagram), "a message");
}

CASE(a_message_fits_into_one_record_or_is_refused)
{
    Pair pair;
    pair.connect();
    const std::string longest(16384, 'm');
    CHECK_EQUAL(pair.server.read(encrypted(pair.client, longest)), longest);
    CHECK_EQUAL(pair.client.write(longest + "m"), QDTLS_STATUS_MESSAGE_TOO_LARGE);
    CHECK_EQUAL(pair.client.lastError().category, QDTLS_CATEGORY_INVALID_INPUT);
    CHECK_EQUAL(pair.client.write(""), QDTLS_STATUS_MESSAGE_EMPTY);
    CHECK_EQUAL(pair.client.lastError().category, QDTLS_CATEGORY_INVALID_INPUT);
    CHECK(pair.client.outbox.empty());
    pair.checkMessages();
}

// A message that is too long is refused before OpenSSL, which would end the connection.
static void checkLimit(Endpoint &from, Endpoint &to, std::size_t limit)
{
    CHECK_EQUAL(from.write(std::string(limit + 1, 'm')), QDTLS_STATUS_MESSAGE_TOO_LARGE);
    CHECK(std::string(from.lastError().reason).find(std::to_string(limit)) != std::string::npos);
    CHECK(from.outbox.empty());
    const std::string longest(limit, 'm');
    CHECK_EQUAL(to.read(encrypted(from, longest)), longest);
}

CASE(f1_a_message_fits_the_negotiated_fragment_length)
{
    const std::pair<std::uint8_t, std::size_t> lengths[] = {
        { TLSEXT_max_fragment_length_512, 512 },
        { TLSEXT_max_fragment_length_1024, 1024 },
        { TLSEXT_max_fragment_length_2048, 2048 },
        { TLSEXT_max_fragment_length_4096, 4096 },
    };
    for (const auto &[code, limit] : lengths) {
        Pair pair;
        CHECK_EQUAL(SSL_set_tlsext_max_fragment_length(pair.client.ssl, code), 1);
        pair.connect();
        checkLimit(pair.client, pair.server, limit);
        checkLimit(pair.server, pair.client, limit);
        pair.checkMessages();
    }
}

CASE(f1_a_message_fits_a_contexts_fragment_size)
{
    for (const long size : { 512, 513, 1000, 8191, 16383, 16384 }) {
        Pair pair;
        CHECK_EQUAL(SSL_CTX_set_max_send_fragment(pair.serverTls.get(), size), 1);
        pair.server.init(pair.serverTls.get());
        pair.connect();
        checkLimit(pair.server, pair.client, std::size_t(size));
        checkLimit(pair.client, pair.server, 16384);
    }
    Pair both;
    CHECK_EQUAL(SSL_set_max_send_fragment(both.server.ssl, 700), 1);
    CHECK_EQUAL(SSL_set_max_send_fragment(both.client.ssl, 700), 1);
    const std::uint8_t code = TLSEXT_max_fragment_length_1024;
    CHECK_EQUAL(SSL_set_tlsext_max_fragment_length(both.client.ssl, code), 1);
    both.connect();
    checkLimit(both.server, both.client, 700);
    checkLimit(both.client, both.server, 700);
}

CASE(the_callers_send_results_are_reported)
{
    Pair pair;
    pair.connect();
    const std::pair<std::int32_t, qdtls_status> results[] = {
        { QDTLS_SEND_RESULT_SENT, QDTLS_STATUS_OK },
        { QDTLS_SEND_RESULT_LOST, QDTLS_STATUS_SEND_REFUSED },
        { QDTLS_SEND_RESULT_REFUSED, QDTLS_STATUS_SEND_REFUSED },
        { QDTLS_SEND_RESULT_FAILED, QDTLS_STATUS_SEND_FAILED },
        { 99, QDTLS_STATUS_SEND_FAILED },
    };
    for (const auto &[result, status] : results) {
        pair.client.onSend = [value = result](const Bytes &) { return value; };
        CHECK_EQUAL(pair.client.write("a message"), status);
    }
    pair.client.onSend = nullptr;
    pair.checkMessages();
}

CASE(s18_only_permanent_send_failures_are_a_handshakes_concern)
{
    Pair pair;
    pair.client.onSend = [](const Bytes &) { return QDTLS_SEND_RESULT_LOST; };
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_abort(pair.client.handle), QDTLS_STATUS_OK);
    pair.client.init(pair.clientTls.get());
    pair.client.onSend = [](const Bytes &) { return QDTLS_SEND_RESULT_FAILED; };
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_SEND_FAILED);
    CHECK_EQUAL(pair.client.lastError().category, QDTLS_CATEGORY_SOCKET);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_IN_PROGRESS);
}

CASE(s31_an_answer_that_cannot_be_sent_is_reported)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const Bytes hello = pair.client.take();
    const std::pair<std::int32_t, qdtls_status> results[] = {
        { QDTLS_SEND_RESULT_REFUSED, QDTLS_STATUS_SEND_REFUSED },
        { QDTLS_SEND_RESULT_FAILED, QDTLS_STATUS_SEND_FAILED },
    };
    for (const auto &[result, status] : results) {
        pair.listener.onSend = [value = result](const Bytes &) { return value; };
        bool verified = true;
        CHECK_EQUAL(qdtls_listener_verify(pair.listener.handle, &pair.address, hello.data(),
                                          hello.size(), &verified),
                    status);
        CHECK(verified);
    }
}
