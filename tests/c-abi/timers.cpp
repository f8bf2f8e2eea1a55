// SPDX-License-Identifier: MIT OR Apache-2.0
// Retransmission timers (RFC 6347, 4.2.4).
#include "cases.h"
#include "pair.h"

using namespace harness;

CASE(s12_unanswered_retransmissions_end_the_handshake)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    const ScopedSetting maximum(QDTLS_SETTING_TIMEOUT_MAX_MS, 20);
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const Bytes hello = pair.client.take();
    int retransmissions = 0;
    while (pair.client.status == QDTLS_STATUS_OK) {
        pair.client.waitUntilDue();
        if (pair.client.handleTimeout() == QDTLS_STATUS_OK) {
            ++retransmissions;
            CHECK_EQUAL(pair.client.take().size(), hello.size());
        }
    }
    CHECK_EQUAL(retransmissions, 12);
    CHECK_EQUAL(pair.client.status, QDTLS_STATUS_TIMED_OUT);
    CHECK_EQUAL(pair.client.lastError().category, QDTLS_CATEGORY_TLS_FATAL);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
    CHECK(!pair.client.timeout());
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_INVALID_STATE);
}

CASE(s13_an_early_call_sends_nothing)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    pair.client.outbox.clear();
    bool retransmitted = true;
    CHECK_EQUAL(qdtls_connection_handle_timeout(pair.client.handle, &retransmitted),
                QDTLS_STATUS_OK);
    CHECK(!retransmitted);
    CHECK(pair.client.outbox.empty());
}

CASE(s13_the_timer_doubles_and_ends_with_the_handshake)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 250);
    const ScopedSetting maximum(QDTLS_SETTING_TIMEOUT_MAX_MS, 60000);
    Pair pair;
    CHECK(!pair.client.timeout());
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK(pair.client.timeout().value_or(~0u) <= 250000u);
    pair.client.waitUntilDue();
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_OK);
    const auto doubled = pair.client.timeout().value_or(0);
    CHECK(doubled > 250000u && doubled <= 500000u);
    pair.deliver();
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);
    CHECK(!pair.client.timeout());
    CHECK(!pair.server.timeout());
}

CASE(s13_junk_does_not_suppress_the_timer)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const auto before = pair.client.timeout();
    CHECK(before.has_value());
    CHECK_EQUAL(pair.client.proceed(bytesOf("junk")), QDTLS_STATUS_OK);
    CHECK(pair.client.timeout().value_or(~0u) <= *before);
}

CASE(f2_the_timer_rests_inside_callbacks)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    Pair pair;
    int calls = 0;
    pair.client.onSend = [&](const Bytes &) {
        ++calls;
        CHECK(!pair.client.timeout());
        return QDTLS_SEND_RESULT_SENT;
    };
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK(pair.client.timeout().has_value());
    const int inStart = calls;
    pair.client.waitUntilDue();
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_OK);
    CHECK(inStart > 0 && calls > inStart);
    CHECK(pair.client.timeout().has_value());
}

CASE(a_failed_retransmission_is_reported_and_can_be_repeated)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    pair.client.waitUntilDue();
    pair.client.onSend = [](const Bytes &) { return QDTLS_SEND_RESULT_FAILED; };
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_SEND_FAILED);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_IN_PROGRESS);
    pair.client.onSend = nullptr;
    pair.client.waitUntilDue();
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_OK);
    pair.deliver();
    pair.checkMessages();
}
