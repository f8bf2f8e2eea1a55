// SPDX-License-Identifier: MIT OR Apache-2.0
// Networks that lose, duplicate and reorder datagrams, or carry only small ones.
#include "cases.h"
#include "pair.h"
#include "wire.h"

#include <algorithm>

using namespace harness;

namespace {

struct FastTimers {
    ScopedSetting initial { QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20 };
    ScopedSetting maximum { QDTLS_SETTING_TIMEOUT_MAX_MS, 20 };
};

} // namespace

CASE(any_single_datagram_may_get_lost)
{
    const FastTimers timers;
    // Until a handshake is done before its nth datagram.
    for (std::size_t nth = 0, lost = 1; lost > 0; ++nth) {
        lost = 0;
        Pair pair;
        pair.copies = [&](std::size_t number) {
            lost += number == nth;
            return number == nth ? 0 : 1;
        };
        pair.connect();
        pair.checkMessages();
        CHECK(lost > 0 || nth >= 6);
    }
}

CASE(every_datagram_may_be_duplicated)
{
    const FastTimers timers;
    Pair pair;
    pair.copies = [](std::size_t) { return 2; };
    pair.connect();
    pair.checkMessages();
}

CASE(every_flight_may_be_reversed)
{
    const FastTimers timers;
    Pair pair(clientContext(), serverContext(makeIdentity(3600, 2000)));
    pair.reversing = true;
    pair.connect();
    pair.checkMessages();
}

CASE(a_replayed_message_is_dropped)
{
    Pair pair;
    pair.connect();
    CHECK_EQUAL(pair.client.write("once"), QDTLS_STATUS_OK);
    const Bytes datagram = pair.client.take();
    CHECK_EQUAL(pair.server.read(datagram), "once");
    CHECK_EQUAL(pair.server.read(datagram), "");
    CHECK_EQUAL(pair.server.end, QDTLS_STATUS_OK);
    pair.checkMessages();
}

// The largest datagram of a handshake that has to be fragmented.
static std::size_t largestDatagram(const qdtls_address &address, std::uint16_t hint)
{
    std::size_t largest = 0;
    Pair pair(clientContext(), serverContext(makeIdentity(3600, 3000)), address);
    for (Endpoint *side : { &pair.client, &pair.server }) {
        CHECK_EQUAL(qdtls_connection_set_mtu_hint(side->handle, hint), QDTLS_STATUS_OK);
        CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
        side->onSend = [&largest, side](const Bytes &datagram) {
            largest = std::max(largest, datagram.size());
            side->outbox.push_back(datagram);
            return QDTLS_SEND_RESULT_SENT;
        };
    }
    pair.client.init(pair.clientTls.get());
    pair.server.init(pair.serverTls.get());
    pair.connect();
    return largest;
}

CASE(s19_no_datagram_exceeds_the_mtu_hint)
{
    const std::size_t ipv4Headers = 20 + 8;
    const std::size_t ipv6Headers = 40 + 8;
    for (const std::uint16_t hint : { 0, 256, 600, 1500 }) {
        const std::size_t packet = hint == 0 ? 576 : hint;
        const std::size_t overIpv4 = largestDatagram(ipv4(), hint);
        CHECK(overIpv4 <= packet - ipv4Headers);
        CHECK(overIpv4 > packet / 2);
        CHECK(largestDatagram(ipv6(), hint) <= packet - ipv6Headers);
    }
}

// OpenSSL collects a flight in a buffer of 4096 bytes, and writes what is in it when it is full.
CASE(a20_no_record_is_cut_in_two_datagrams)
{
    for (const std::uint16_t hint : { 4000, 4096, 4124, 4200, 9000, 65535 }) {
        Pair pair(clientContext(), serverContext(makeIdentity(3600, 6000)));
        std::size_t largest = 0;
        for (Endpoint *side : { &pair.client, &pair.server }) {
            CHECK_EQUAL(qdtls_connection_set_mtu_hint(side->handle, hint), QDTLS_STATUS_OK);
            CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
            side->onSend = [&largest, side](const Bytes &datagram) {
                std::size_t whole = 0;
                for (const Bytes &record : recordsOf(datagram))
                    whole += record.size();
                CHECK_EQUAL(whole, datagram.size());
                largest = std::max(largest, datagram.size());
                side->outbox.push_back(datagram);
                return QDTLS_SEND_RESULT_SENT;
            };
        }
        pair.client.init(pair.clientTls.get());
        pair.server.init(pair.serverTls.get());
        CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
        pair.deliver();
        CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);
        CHECK_EQUAL(pair.server.state(), QDTLS_STATE_COMPLETE);
        CHECK(largest <= hint - 28u && largest > 3900u);
    }
}

CASE(s19_a_hint_below_the_minimum_is_refused)
{
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    for (const std::uint16_t hint : { 1, 255 })
        CHECK_EQUAL(qdtls_connection_set_mtu_hint(endpoint.handle, hint), QDTLS_STATUS_INVALID_MTU);
    CHECK(std::string(endpoint.lastError().reason).find("256") != std::string::npos);
}
