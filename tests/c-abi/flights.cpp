// SPDX-License-Identifier: MIT OR Apache-2.0
// Flights: their fragments and datagrams, in the first try and in later ones.
#include "cases.h"
#include "clock.h"
#include "pair.h"
#include "wire.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

using namespace harness;

namespace {

struct FastTimers {
    ScopedSetting initial { QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20 };
    ScopedSetting minimum { QDTLS_SETTING_TIMEOUT_MIN_MS, 20 };
    ScopedSetting maximum { QDTLS_SETTING_TIMEOUT_MAX_MS, 60000 };
};

// Message, offset and length. Another try may send them in another order (I9).
using Fragment = std::tuple<std::uint16_t, std::uint32_t, std::uint32_t>;

std::multiset<Fragment> fragmentsOf(const std::deque<Bytes> &datagrams)
{
    std::multiset<Fragment> fragments;
    for (const Bytes &datagram : datagrams) {
        for (const Bytes &record : recordsOf(datagram)) {
            const MessageHeader header = messageHeader(record);
            fragments.emplace(header.sequence, header.offset, header.here);
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

// A server with a certificate of about this size that has sent its first flight.
std::unique_ptr<Pair> afterServersFlight(std::uint16_t hint, std::size_t size = 6000)
{
    auto pair = std::make_unique<Pair>(clientContext(), serverContext(makeIdentity(3600, size)));
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
        // Smaller datagrams after two tries do not change them.
        auto before = first;
        for (int tries = 2; tries <= 4; ++tries) {
            pair->server.waitUntilDue();
            CHECK_EQUAL(pair->server.handleTimeout(), QDTLS_STATUS_OK);
            const auto again = std::exchange(pair->server.outbox, {});
            CHECK(fragmentsOf(first) == fragmentsOf(again));
            CHECK(tries > 2 || first.size() == again.size());
            CHECK(tries == 2 || longestOf(again) <= 1252);
            CHECK(numbersOf(before).back() < numbersOf(again).front());
            before = again;
        }
    }
}

CASE(i9_a_flight_fills_its_datagrams)
{
    for (const std::uint16_t hint : { 0, 512, 1280, 9000 }) {
        const auto pair = afterServersFlight(hint);
        const std::size_t payload = (hint == 0 ? 1280 : hint) - 28u;
        std::size_t sum = 0;
        for (const Bytes &datagram : pair->server.outbox)
            sum += datagram.size();
        CHECK(longestOf(pair->server.outbox) <= payload);
        CHECK_EQUAL(pair->server.outbox.size(), (sum + payload - 1) / payload);
    }
}

CASE(i9_without_a_hint_a_flight_goes_in_one_datagram_if_it_can)
{
    const struct {
        std::size_t certificate;
        std::size_t datagrams; // 0 for several
        std::size_t limit;
        std::size_t records;
    } table[] = {
        { 0, 1, 1252, 9 }, { 500, 1, 1252, 9 }, { 2000, 0, 548, 2 }, { 6000, 0, 1252, 9 }
    };
    for (const auto &row : table) {
        const auto pair = afterServersFlight(0, row.certificate);
        const auto &sent = pair->server.outbox;
        CHECK(row.datagrams == 0 ? sent.size() > 1 : sent.size() == row.datagrams);
        CHECK(longestOf(sent) <= row.limit);
        CHECK(longestOf(sent) > row.limit / 2 || sent.size() == 1);
        for (const Bytes &datagram : sent)
            CHECK(recordsOf(datagram).size() <= row.records);
        pair->deliver();
        pair->checkMessages();
    }
}

// Erlang's socket has room for twelve: the rest of a flight is lost while it does something else.
CASE(i9_a_small_receive_buffer_gets_a_long_flight)
{
    constexpr std::size_t room = 12;
    const FastTimers timers;
    const auto pair = afterServersFlight(512, 6000);
    CHECK(pair->server.outbox.size() > room);
    pair->server.outbox.resize(room);
    pair->deliver();
    CHECK(!qdtls_connection_is_complete(pair->server.handle));
    pair->server.waitUntilDue();
    CHECK_EQUAL(pair->server.handleTimeout(), QDTLS_STATUS_OK);
    pair->server.outbox.resize(room);
    pair->deliver();
    pair->checkMessages();
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

CASE(a_client_hello_that_comes_again_gets_the_flight_again)
{
    const ScopedSetting minimum(QDTLS_SETTING_TIMEOUT_MIN_MS, 20);
    const auto pair = Pair::psk();
    const Bytes hello = pair->verifiedHello();
    // The cookie was long under way, so that the server's timer is slow.
    pair->server.now += 3000;
    CHECK_EQUAL(pair->server.start(hello), QDTLS_STATUS_OK);
    const auto first = std::exchange(pair->server.outbox, {});
    const auto answersTo = [&](const Bytes &datagram) {
        CHECK_EQUAL(pair->server.proceed(datagram), QDTLS_STATUS_OK);
        auto answers = std::exchange(pair->server.outbox, {});
        // Another client's hello is answered with a HelloVerifyRequest.
        if (answers.size() == 1 && messageHeader(answers.front()).kind == 3)
            answers.clear();
        return answers;
    };
    CHECK(answersTo(hello).empty()); // not in the shortest interval
    passTime(21000);
    Bytes foreign = hello;
    foreign[40] ^= 1; // in its random
    CHECK(answersTo(foreign).empty());
    const auto again = answersTo(hello);
    CHECK(fragmentsOf(again) == fragmentsOf(first));
    CHECK(numbersOf(first).back() < numbersOf(again).front());
    CHECK(answersTo(hello).empty());
    pair->server.outbox = again;
    pair->deliver();
    pair->checkMessages();
}

CASE(a_client_hello_that_comes_again_gets_nothing_at_an_unverified_address)
{
    const ScopedSetting minimum(QDTLS_SETTING_TIMEOUT_MIN_MS, 20);
    const auto pair = Pair::psk();
    CHECK_EQUAL(qdtls_connection_set_cookie(pair->server.handle, nullptr), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_reset(pair->server.handle), QDTLS_STATUS_OK);
    pair->server.init(pair->serverTls.get());
    CHECK_EQUAL(pair->client.start(), QDTLS_STATUS_OK);
    const Bytes hello = pair->client.take();
    CHECK_EQUAL(pair->server.start(hello), QDTLS_STATUS_OK);
    CHECK_EQUAL(std::exchange(pair->server.outbox, {}).size(), 1u);
    passTime(30000);
    CHECK_EQUAL(pair->server.proceed(hello), QDTLS_STATUS_OK);
    CHECK(pair->server.outbox.empty());
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
