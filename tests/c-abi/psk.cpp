// SPDX-License-Identifier: MIT OR Apache-2.0
// Pre-shared keys.
#include "cases.h"
#include "pair.h"

using namespace harness;

CASE(psk_without_hint)
{
    auto pair = Pair::psk();
    pair->connect();
    pair->checkMessages();
}

static std::string textIn(const qdtls_psk_request &request)
{
    return request.text == nullptr
        ? "(none)"
        : textOf(Bytes(request.text, request.text + request.text_length));
}

CASE(psk_requests_tell_what_they_are_for)
{
    auto pair = Pair::psk("a hint");
    std::vector<std::string> seen;
    const auto answer = [&seen](Endpoint &side) {
        return [&seen, reply = side.onPsk](const qdtls_psk_request &request, qdtls_psk_reply *to) {
            seen.push_back(textIn(request));
            seen.push_back(request.role == QDTLS_ROLE_CLIENT ? "to client" : "to server");
            seen.push_back(request.max_identity > 0 ? "with identity" : "without identity");
            seen.push_back(request.max_key >= 64 ? "long key" : "short key");
            reply(request, to);
        };
    };
    pair->client.onPsk = answer(pair->client);
    pair->server.onPsk = answer(pair->server);
    pair->connect();
    const std::vector<std::string> expected {
        "a hint", "to client", "with identity",    "long key",
        "client", "to server", "without identity", "long key"
    };
    CHECK(seen == expected);
}

CASE(psk_reply_arguments_are_checked)
{
    auto pair = Pair::psk();
    std::vector<int> statuses;
    pair->client.onPsk = [&](const qdtls_psk_request &, qdtls_psk_reply *reply) {
        const Bytes key = bytesOf("a pre-shared key");
        statuses = { qdtls_psk_reply_set(reply, nullptr, 1, key.data(), key.size()),
                     qdtls_psk_reply_set(reply, key.data(), key.size(), nullptr, 1),
                     qdtls_psk_reply_set(reply, nullptr, 0, key.data(), key.size()) };
    };
    pair->connect();
    const std::vector<int> expected { QDTLS_STATUS_INVALID_ARGUMENT, QDTLS_STATUS_INVALID_ARGUMENT,
                                      QDTLS_STATUS_OK };
    CHECK(statuses == expected);
}

// The outcome of the client's handshake with this answer.
static qdtls_status clientStatus(const Bytes &key, const std::string &identity)
{
    auto pair = Pair::psk();
    answerWithPsk(pair->client, key, identity);
    CHECK_EQUAL(pair->server.start(pair->verifiedHello()), QDTLS_STATUS_OK);
    while (!pair->server.outbox.empty() && pair->client.status == QDTLS_STATUS_OK)
        pair->client.proceed(pair->server.take());
    CHECK(pair->client.status == QDTLS_STATUS_OK
          || pair->client.state() == QDTLS_STATE_NOT_STARTED);
    return pair->client.status;
}

CASE(s5_keys_and_identities_are_never_cut)
{
    const Bytes key = bytesOf("a pre-shared key");
    CHECK_EQUAL(clientStatus(key, "client"), QDTLS_STATUS_OK);
    CHECK_EQUAL(clientStatus(Bytes(600, 7), "client"), QDTLS_STATUS_PSK_REJECTED);
    CHECK_EQUAL(clientStatus(key, std::string(600, 'i')), QDTLS_STATUS_PSK_REJECTED);
    CHECK_EQUAL(clientStatus(key, std::string("a\0b", 3)), QDTLS_STATUS_PSK_REJECTED);
}

CASE(no_key_no_handshake)
{
    CHECK_EQUAL(clientStatus({}, "client"), QDTLS_STATUS_HANDSHAKE_FAILED);
}

CASE(s14_a_wrong_key_is_bounded_by_the_timers)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    auto pair = Pair::psk();
    answerWithPsk(pair->client, bytesOf("another key"));
    CHECK_EQUAL(pair->client.start(), QDTLS_STATUS_OK);
    pair->deliver();
    CHECK_EQUAL(pair->client.state(), QDTLS_STATE_IN_PROGRESS);
    CHECK_EQUAL(pair->server.state(), QDTLS_STATE_IN_PROGRESS);
    CHECK(pair->client.timeout());
}
