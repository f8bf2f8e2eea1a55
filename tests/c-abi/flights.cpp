// SPDX-License-Identifier: MIT OR Apache-2.0
// Flights: their fragments and datagrams, in the first try and in later ones.
#include "cases.h"
#include "pair.h"
#include "wire.h"

#include <algorithm>
#include <tuple>
#include <utility>

using namespace harness;

namespace {

struct FastTimers {
    ScopedSetting initial { QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20 };
    ScopedSetting minimum { QDTLS_SETTING_TIMEOUT_MIN_MS, 20 };
    ScopedSetting maximum { QDTLS_SETTING_TIMEOUT_MAX_MS, 60000 };
};

// Message, offset and length.
using Fragment = std::tuple<std::uint16_t, std::uint32_t, std::uint32_t>;

std::vector<Fragment> fragmentsOf(const std::deque<Bytes> &datagrams)
{
    std::vector<Fragment> fragments;
    for (const Bytes &datagram : datagrams) {
        for (const Bytes &record : recordsOf(datagram)) {
            const MessageHeader header = messageHeader(record);
            fragments.emplace_back(header.sequence, header.offset, header.here);
        }
    }
    return fragments;
}

std::vector<Bytes> numbersOf(const std::deque<Bytes> &datagrams)
{
    std::vector<Bytes> numbers;
    for (const Bytes &datagram : datagrams) {
        for (const Bytes &record : recordsOf(datagram))
            numbers.emplace_back(record.begin() + 3, record.begin() + 11);
    }
    return numbers;
}

std::size_t longestOf(const std::deque<Bytes> &datagrams)
{
    std::size_t longest = 0;
    for (const Bytes &datagram : datagrams)
        longest = std::max(longest, datagram.size());
    return longest;
}

// A server with a chain of 6 KB that has sent its first flight.
std::unique_ptr<Pair> afterServersFlight(std::uint16_t hint)
{
    auto pair = std::make_unique<Pair>(clientContext(), serverContext(makeIdentity(3600, 6000)));
    CHECK_EQUAL(qdtls_connection_reset(pair->server.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_set_mtu_hint(pair->server.handle, hint), QDTLS_STATUS_OK);
    pair->server.init(pair->serverTls.get());
    CHECK_EQUAL(pair->server.start(pair->verifiedHello()), QDTLS_STATUS_OK);
    return pair;
}

} // namespace

CASE(i1_another_try_has_the_same_fragments)
{
    const FastTimers timers;
    for (const std::uint16_t hint : { 0, 512, 1280, 9000 }) {
        const auto pair = afterServersFlight(hint);
        const auto first = std::exchange(pair->server.outbox, {});
        pair->server.waitUntilDue();
        CHECK_EQUAL(pair->server.handleTimeout(), QDTLS_STATUS_OK);
        const auto second = std::exchange(pair->server.outbox, {});
        CHECK(fragmentsOf(first) == fragmentsOf(second));
        CHECK_EQUAL(first.size(), second.size());
        CHECK(numbersOf(first).back() < numbersOf(second).front());
    }
}

CASE(i9_a_flight_fills_its_datagrams)
{
    for (const std::uint16_t hint : { 0, 512, 1280, 9000 }) {
        const auto pair = afterServersFlight(hint);
        const std::size_t payload = (hint == 0 ? 576 : hint) - 28u;
        std::size_t sum = 0;
        for (const Bytes &datagram : pair->server.outbox)
            sum += datagram.size();
        CHECK(longestOf(pair->server.outbox) <= payload);
        CHECK_EQUAL(pair->server.outbox.size(), (sum + payload - 1) / payload);
    }
}

CASE(i1_one_record_in_each_datagram_on_request)
{
    const ScopedSetting alone(QDTLS_SETTING_COALESCE_RECORDS, 0);
    const auto pair = afterServersFlight(1280);
    for (const Bytes &datagram : pair->server.outbox)
        CHECK_EQUAL(recordsOf(datagram).size(), 1u);
}

CASE(i6_black_holes_are_passed)
{
    const FastTimers timers;
    for (const std::uint16_t hint : { 0, 600, 1400, 1500, 9000, 65535 }) {
        for (const std::size_t longest : { 500, 600, 1280 }) {
            Pair pair(clientContext(), serverContext(makeIdentity(3600, 6000)));
            pair.longest = longest;
            for (Endpoint *side : { &pair.client, &pair.server }) {
                CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
                CHECK_EQUAL(qdtls_connection_set_mtu_hint(side->handle, hint), QDTLS_STATUS_OK);
            }
            pair.client.init(pair.clientTls.get());
            pair.server.init(pair.serverTls.get());
            pair.connect();
            pair.checkMessages();
        }
    }
}

static std::vector<std::size_t> datagramsOfTries(Endpoint &side)
{
    std::vector<std::size_t> counts;
    for (int tries = 1; tries <= 6; ++tries) {
        counts.push_back(std::exchange(side.outbox, {}).size());
        side.waitUntilDue();
        CHECK_EQUAL(side.handleTimeout(), QDTLS_STATUS_OK);
    }
    return counts;
}

CASE(a_flight_of_one_datagram_is_sent_twice_after_four_tries)
{
    const FastTimers timers;
    const std::vector<std::size_t> twice { 1, 1, 1, 1, 2, 2 };
    const auto pair = Pair::psk();
    CHECK_EQUAL(pair->client.start(), QDTLS_STATUS_OK);
    CHECK(datagramsOfTries(pair->client) == twice);
    const auto hellos = std::exchange(pair->client.outbox, {});
    const auto numbers = numbersOf(hellos);
    CHECK(numbers.size() == 2 && numbers.front() < numbers.back());
    CHECK(fragmentsOf({ hellos.front() }) == fragmentsOf({ hellos.back() }));

    CHECK(!pair->listener.verify(hellos.back(), pair->address));
    CHECK_EQUAL(pair->client.proceed(pair->listener.outbox.front()), QDTLS_STATUS_OK);
    pair->listener.outbox.clear();
    const Bytes hello = pair->client.take();
    CHECK(pair->listener.verify(hello, pair->address));
    CHECK_EQUAL(pair->server.start(hello), QDTLS_STATUS_OK);
    CHECK(datagramsOfTries(pair->server) == twice);
    pair->deliver();
    pair->checkMessages();
}

CASE(a_flight_to_an_unverified_address_is_sent_once)
{
    const FastTimers timers;
    const auto pair = Pair::psk();
    CHECK_EQUAL(qdtls_connection_reset(pair->server.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_set_cookie(pair->server.handle, nullptr), QDTLS_STATUS_OK);
    pair->server.init(pair->serverTls.get());
    CHECK_EQUAL(pair->client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair->server.start(pair->client.take()), QDTLS_STATUS_OK);
    CHECK(datagramsOfTries(pair->server) == std::vector<std::size_t>(6, 1));
}

// A server that asks for cookies, or not, has sent its flight, which is lost, and waits. The time
// passes in which its client's timer expires, but not its own.
static std::unique_ptr<Pair> afterLostFlight(bool asksForCookies)
{
    auto pair = Pair::psk();
    if (!asksForCookies) {
        CHECK_EQUAL(qdtls_connection_set_cookie(pair->server.handle, nullptr), QDTLS_STATUS_OK);
        CHECK_EQUAL(qdtls_connection_reset(pair->server.handle), QDTLS_STATUS_OK);
        pair->server.init(pair->serverTls.get());
    }
    CHECK_EQUAL(pair->server.start(pair->verifiedHello()), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair->server.outbox.size(), 1u);
    return pair;
}

CASE(a_client_hello_that_comes_again_gets_the_flight_again)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 1000);
    const ScopedSetting minimum(QDTLS_SETTING_TIMEOUT_MIN_MS, 20);
    for (const bool asksForCookies : { true, false }) {
        const auto pair = afterLostFlight(asksForCookies);
        const auto first = std::exchange(pair->server.outbox, {});
        pair->client.waitUntilDue();
        CHECK_EQUAL(pair->client.handleTimeout(), QDTLS_STATUS_OK);
        const Bytes hello = pair->client.take();
        Bytes foreign = hello;
        foreign[40] ^= 1; // in its random

        // At most a HelloVerifyRequest.
        CHECK_EQUAL(pair->server.proceed(foreign), QDTLS_STATUS_OK);
        for (const Bytes &answer : std::exchange(pair->server.outbox, {}))
            CHECK_EQUAL(messageHeader(answer).kind, 3u);
        CHECK_EQUAL(pair->server.proceed(hello), QDTLS_STATUS_OK);
        if (asksForCookies) {
            CHECK(fragmentsOf(pair->server.outbox) == fragmentsOf(first));
            CHECK(numbersOf(first).back() < numbersOf(pair->server.outbox).front());
        } else {
            CHECK(pair->server.outbox.empty());
        }
        // Not twice in the shortest interval.
        const std::size_t before = pair->server.outbox.size();
        CHECK_EQUAL(pair->server.proceed(hello), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair->server.outbox.size(), before);
        pair->connect();
        pair->checkMessages();
    }
}

CASE(i3_a_client_hello_is_never_cut_below_576_bytes)
{
    const FastTimers timers;
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const Bytes hello = pair.client.take();
    for (int tries = 0; tries < 6; ++tries) {
        pair.client.waitUntilDue();
        CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.client.take().size(), hello.size());
    }
}
