// SPDX-License-Identifier: MIT OR Apache-2.0
// F9, A6, A7, F10, A21: records of a handshake that anyone can forge, and what they may cost.
#include "cases.h"
#include "memory.h"
#include "pair.h"
#include "wire.h"

#include <algorithm>
#include <iterator>

using namespace harness;

namespace {

// A genuine handshake record of epoch 0 with one thing wrong that can be seen.
std::vector<Bytes> forgeriesOf(const Bytes &record)
{
    const MessageHeader header = messageHeader(record);
    const std::uint32_t all = (1u << 24) - 1;
    std::vector<Bytes> forged;
    const auto add = [&](const MessageHeader &changed) {
        forged.push_back(withHeader(record, changed));
    };
    // A fragment that stays within its message looks like any other.
    for (const std::uint32_t offset : { header.offset + 1, header.offset + 1000, all }) {
        if (offset + header.here > header.length)
            add({ header.kind, header.length, header.sequence, offset, header.here });
    }
    for (const std::uint32_t here : { header.here + 1, header.here - 1, header.here / 2, 0u, all })
        add({ header.kind, header.length, header.sequence, header.offset, here });
    for (const std::uint32_t length : { header.offset + header.here - 1, 0u, 1u, all })
        add({ header.kind, length, header.sequence, header.offset, header.here });
    for (const int kind : { 0, 5, 20, 23, 24, 99, 255 })
        add({ std::uint8_t(kind), header.length, header.sequence, header.offset, header.here });
    for (const int sequence : { 12, 256, 65535 }) {
        const auto distant = std::uint16_t(sequence);
        add({ header.kind, header.length, distant, header.offset, header.here });
    }
    const Bytes content(record.begin() + 13, record.end());
    for (const std::size_t length : { 1, 11, 12, 13 }) {
        const auto end = std::ptrdiff_t(std::min(length, content.size() - 1));
        forged.push_back(recordOf(22, 0, Bytes(content.begin(), content.begin() + end)));
    }
    Bytes longer = content;
    longer.push_back(0);
    forged.push_back(recordOf(22, 0, longer));
    const auto isUnchanged = [&](const Bytes &one) {
        return std::equal(one.begin() + 13, one.end(), record.begin() + 13, record.end());
    };
    forged.erase(std::remove_if(forged.begin(), forged.end(), isUnchanged), forged.end());
    return forged;
}

// Messages that are well formed, in places where they cannot be.
std::vector<Bytes> outOfPlace(const Bytes &record)
{
    const std::uint16_t here = messageHeader(record).sequence;
    std::vector<Bytes> forged;
    for (const std::uint8_t kind : { 11, 14, 15, 16 })
        forged.push_back(recordOf(22, 0, message(kind, 0, {})));
    for (const std::uint8_t kind : { 1, 2, 3, 20 })
        forged.push_back(recordOf(22, 0, message(kind, std::uint16_t(here + 1), Bytes(40))));
    forged.push_back(recordOf(22, 0, message(3, here, { 0xfe, 0xff, 9, 1 })));
    forged.push_back(recordOf(22, 0, message(3, here, { 0xfe, 0xff, 0, 1 })));
    return forged;
}

// Hands every forgery that the datagram suggests to its receiver, before the datagram.
std::size_t disturb(Endpoint &receiver, const Bytes &datagram)
{
    std::size_t count = 0;
    for (const Bytes &record : recordsOf(datagram)) {
        if (record[0] != 22 || epochOf(record) != 0)
            continue;
        for (const auto &forgeries : { forgeriesOf(record), outOfPlace(record) }) {
            for (const Bytes &forged : forgeries) {
                CHECK_EQUAL(receiver.proceed(forged), QDTLS_STATUS_OK);
                CHECK_EQUAL(receiver.state(), QDTLS_STATE_IN_PROGRESS);
                ++count;
            }
        }
    }
    return count;
}

// A handshake in which all that was forged goes first.
std::size_t connectDisturbed(Pair &pair)
{
    // Nothing is sent again while a checker slows this down.
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 60000);
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK(!pair.listener.verify(pair.client.take()));
    const Bytes request = pair.listener.outbox.front();
    pair.listener.outbox.clear();
    std::size_t count = disturb(pair.client, request);
    CHECK_EQUAL(pair.client.proceed(request), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.start(pair.client.take()), QDTLS_STATUS_OK);
    while (!pair.server.outbox.empty() || !pair.client.outbox.empty()) {
        for (Endpoint *sender : { &pair.server, &pair.client }) {
            Endpoint &receiver = sender == &pair.server ? pair.client : pair.server;
            while (!sender->outbox.empty()) {
                const Bytes datagram = sender->take();
                count += disturb(receiver, datagram);
                CHECK_EQUAL(receiver.proceed(datagram), QDTLS_STATUS_OK);
            }
        }
    }
    acceptWhenAsked(pair.client);
    acceptWhenAsked(pair.server);
    pair.checkMessages();
    return count;
}

ContextPtr withCertificate(ContextPtr context)
{
    const Identity identity = makeIdentity();
    CHECK_EQUAL(SSL_CTX_use_certificate(context.get(), identity.certificate.get()), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey(context.get(), identity.key.get()), 1);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, q_X509DtlsCallback);
    return context;
}

// The lines of the log while it lives.
struct Log {
    Log() { qdtls_set_logger(note); }
    ~Log() { qdtls_set_logger(nullptr); }
    static std::vector<std::string> &lines()
    {
        static std::vector<std::string> all;
        return all;
    }
    static void note(const char *line) { lines().push_back(line); }
};

} // namespace

CASE(f9_forged_messages_do_not_disturb_a_handshake)
{
    Pair both(withCertificate(clientContext()), withCertificate(serverContext(makeIdentity())));
    CHECK(connectDisturbed(both) > 200);
    Pair large(clientContext(), serverContext(makeIdentity(3600, 2000)));
    CHECK(connectDisturbed(large) > 100);
    CHECK(connectDisturbed(*Pair::psk("hint")) > 100);
}

CASE(f9_a_forged_hello_verify_request_does_not_end_a_handshake)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    for (const int length : { 0, 2, 4, 32, 255 }) {
        const Bytes body { 0xfe, 0xff, std::uint8_t(length), 1, 2, 3 };
        CHECK_EQUAL(pair.client.proceed(recordOf(22, 0, message(3, 0, body))), QDTLS_STATUS_OK);
    }
    pair.deliver();
    pair.checkMessages();
}

// A verified hello that OpenSSL would not start with is refused by the listener and by start.
CASE(a7_listener_and_start_take_the_same_hello)
{
    Pair pair;
    const Bytes hello = pair.verifiedHello();
    const MessageHeader header = messageHeader(hello);
    std::vector<Bytes> refused;
    for (const std::uint16_t sequence : { 0, 2, 3 })
        refused.push_back(withHeader(
            hello, { header.kind, header.length, sequence, header.offset, header.here }));
    Bytes longer(hello.begin() + 13, hello.end());
    longer.push_back(0);
    refused.push_back(recordOf(22, 0, longer));
    for (const Bytes &datagram : refused) {
        CHECK(!pair.listener.verify(datagram));
        CHECK_EQUAL(pair.server.start(datagram), QDTLS_STATUS_COOKIE_REJECTED);
        pair.server.init(pair.serverTls.get());
    }
    CHECK(pair.listener.verify(hello));
    CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
    pair.listener.outbox.clear();
    pair.deliver();
    pair.checkMessages();
}

// The record that was verified is the one that OpenSSL starts with, whatever stands behind it.
CASE(a7_a_second_hello_in_the_datagram_is_not_used)
{
    Pair pair;
    Pair other;
    Bytes datagram = pair.verifiedHello();
    const Bytes second = other.verifiedHello();
    datagram.insert(datagram.end(), second.begin(), second.end());
    CHECK(pair.listener.verify(datagram));
    CHECK_EQUAL(pair.server.start(datagram), QDTLS_STATUS_OK);
    pair.deliver();
    pair.checkMessages();
}

namespace {

// The most that anyone can make OpenSSL reserve for one unfinished association, as SECURITY.md
// says it.
constexpr std::size_t reservedAtMost = 1 << 20;

// A fragment of one byte of a message of this length.
Bytes fragment(std::uint8_t kind, std::uint16_t sequence, std::uint32_t length)
{
    Bytes one = recordOf(22, 0, message(kind, sequence, { 1 }));
    return withHeader(one, { kind, length, sequence, 0, 1 });
}

// Everything that makes OpenSSL reserve memory, as much of it as it takes.
std::size_t flood(Endpoint &endpoint)
{
    const std::size_t before = opensslsMemory();
    std::size_t most = 0;
    const auto forge = [&](const Bytes &record) {
        CHECK_EQUAL(endpoint.proceed(record), QDTLS_STATUS_OK);
        most = std::max(most, opensslsMemory());
        endpoint.outbox.clear();
    };
    for (const std::uint32_t length : { 102400u, 65541u, 20000u, 16384u, 2048u, 258u, 10u }) {
        for (std::uint16_t sequence = 0; sequence < 20; ++sequence) {
            for (const std::uint8_t kind : { 1, 2, 3, 4, 11, 12, 13, 14, 15, 16, 20, 22 })
                forge(fragment(kind, sequence, length));
        }
    }
    // OpenSSL keeps one record of each number.
    for (std::uint16_t number = 0; number < 800; ++number) {
        Bytes record = recordOf(std::uint8_t(20 + number % 4), 1, Bytes(30));
        record[9] = std::uint8_t(number >> 8);
        record[10] = std::uint8_t(number);
        forge(record);
    }
    return most - std::min(before, most);
}

} // namespace

// What one forged record of 26 bytes makes a client reserve: the longest message, and a bit for
// each of its bytes.
CASE(a6_a_forged_byte_reserves_no_more_than_the_longest_message)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const std::size_t longest = 102400;
    for (const std::uint32_t length : { (1u << 24) - 1, 102401u, 102400u }) {
        const std::size_t before = opensslsMemory();
        const Bytes forged = fragment(11, 2, length);
        CHECK_EQUAL(forged.size(), 26u);
        CHECK_EQUAL(pair.client.proceed(forged), QDTLS_STATUS_OK);
        const std::size_t reserved = opensslsMemory() - before;
        CHECK_EQUAL(reserved > longest, length == longest);
        CHECK(reserved <= longest + longest / 8 + 1024);
    }
}

CASE(a6_what_forged_records_reserve_is_bounded)
{
    Pair client(withCertificate(clientContext()), withCertificate(serverContext(makeIdentity())));
    CHECK_EQUAL(client.client.start(), QDTLS_STATUS_OK);
    const std::size_t byClient = flood(client.client);
    CHECK(byClient > 0 && byClient <= reservedAtMost);

    Pair server(withCertificate(clientContext()), withCertificate(serverContext(makeIdentity())));
    CHECK_EQUAL(server.server.start(server.verifiedHello()), QDTLS_STATUS_OK);
    const std::size_t byServer = flood(server.server);
    CHECK(byServer > 0 && byServer <= reservedAtMost);
}

// The same in the state in which the memory was reserved: it is given back with the association.
CASE(a6_what_forged_records_reserve_is_given_back)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    const std::size_t before = opensslsMemory();
    pair.client.init(pair.clientTls.get());
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    flood(pair.client);
    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    CHECK(opensslsMemory() <= before + 4096);
}

CASE(f10_an_overlong_chain_is_logged_once_and_explains_the_time_out)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    const ScopedSetting maximum(QDTLS_SETTING_TIMEOUT_MAX_MS, 20);
    Pair pair(clientContext(), serverContext(makeIdentity(3600, 110000)));
    CHECK_EQUAL(qdtls_connection_set_mtu_hint(pair.server.handle, 4000), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_reset(pair.server.handle), QDTLS_STATUS_OK);
    pair.server.init(pair.serverTls.get());
    Log::lines().clear();
    const Log log;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    while (!pair.server.outbox.empty())
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    CHECK_EQUAL(Log::lines().size(), 1u);
    const std::string &line = Log::lines().front();
    CHECK(line.find("127.0.0.1") != std::string::npos);
    CHECK(line.find("the limit is 102400") != std::string::npos);

    while (pair.client.status == QDTLS_STATUS_OK) {
        pair.client.waitUntilDue();
        pair.client.handleTimeout();
    }
    CHECK_EQUAL(pair.client.status, QDTLS_STATUS_TIMED_OUT);
    const std::string reason = pair.client.lastError().reason;
    CHECK(reason.find("dropped a Certificate of 1") != std::string::npos);
    CHECK(reason.find("the limit is 102400") != std::string::npos);
    CHECK_EQUAL(Log::lines().size(), 1u);
}

CASE(a21_a_contexts_limit_for_chains_is_the_limit)
{
    Pair pair(clientContext(), serverContext(makeIdentity(3600, 110000)));
    SSL_CTX_set_max_cert_list(pair.clientTls.get(), 200000);
    for (Endpoint *side : { &pair.client, &pair.server }) {
        CHECK_EQUAL(qdtls_connection_set_mtu_hint(side->handle, 4000), QDTLS_STATUS_OK);
        CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
    }
    pair.client.init(pair.clientTls.get());
    pair.server.init(pair.serverTls.get());
    pair.connect();
    pair.checkMessages();
}
