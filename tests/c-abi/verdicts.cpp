// SPDX-License-Identifier: MIT OR Apache-2.0
// Verification errors, and the program's verdict on the peer.
#include "cases.h"
#include "pair.h"

#include <openssl/x509_vfy.h>

#include <vector>

using namespace harness;

// Shakes hands until the client asks for a verdict; the server has given its own.
static void connectUntilVerdict(Pair &pair)
{
    pair.connectUntilVerdicts();
    acceptWhenAsked(pair.server);
}

CASE(no_message_before_the_verdict)
{
    Pair pair;
    connectUntilVerdict(pair);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_IN_PROGRESS);
    CHECK_EQUAL(pair.client.write("early"), QDTLS_STATUS_INVALID_STATE);
    CHECK(!pair.client.timeout());
}

// A program that takes its time with the verdict goes on receiving.
CASE(a10_messages_before_the_verdict_are_kept)
{
    Pair pair;
    connectUntilVerdict(pair);
    for (const char *message : { "one ", "two " }) {
        CHECK_EQUAL(pair.server.write(message), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.client.need, QDTLS_NEED_VERDICT);
        CHECK_EQUAL(pair.client.proceed(bytesOf("junk")), QDTLS_STATUS_OK);
    }
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 1), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.write("three"), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.read(pair.server.take()), "one two three");
    pair.checkMessages();
}

CASE(a10_a_foreign_hello_leaves_the_need_for_a_verdict)
{
    Pair pair;
    pair.connectUntilVerdicts();
    Endpoint foreign(QDTLS_ROLE_CLIENT);
    foreign.init(pair.clientTls.get());
    CHECK_EQUAL(foreign.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.proceed(foreign.take()), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.need, QDTLS_NEED_VERDICT);
    acceptWhenAsked(pair.server);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_COMPLETE);
}

CASE(a10_a_close_notify_before_the_verdict_ends_the_first_read)
{
    Pair pair;
    connectUntilVerdict(pair);
    CHECK_EQUAL(pair.server.write("the last"), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_shutdown(pair.server.handle), QDTLS_STATUS_OK);
    while (!pair.server.outbox.empty())
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 1), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.read({}), "the last");
    CHECK_EQUAL(pair.client.end, QDTLS_STATUS_CLOSED);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
}

// Junk in the datagram of the last flight does not stand before what is kept later.
CASE(a10_junk_behind_the_last_flight_is_dropped)
{
    Pair pair;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    while (!pair.server.outbox.empty())
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    while (!pair.client.outbox.empty())
        CHECK_EQUAL(pair.server.proceed(pair.client.take()), QDTLS_STATUS_OK);
    acceptWhenAsked(pair.server);
    while (pair.server.outbox.size() > 1)
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    Bytes last = pair.server.take();
    const Bytes junk = bytesOf("junk");
    last.insert(last.end(), junk.begin(), junk.end());
    CHECK_EQUAL(pair.client.proceed(last), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.need, QDTLS_NEED_VERDICT);
    CHECK_EQUAL(pair.server.write("kept"), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    acceptWhenAsked(pair.client);
    CHECK_EQUAL(pair.client.read({}), "kept");
}

CASE(a10_what_is_kept_before_the_verdict_has_a_bound)
{
    Pair pair;
    connectUntilVerdict(pair);
    for (int count = 0; count < 20; ++count) {
        CHECK_EQUAL(pair.server.write(std::string(8192, 'm')), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    }
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 1), QDTLS_STATUS_OK);
    std::size_t capacity = 0;
    CHECK_EQUAL(qdtls_connection_read_capacity(pair.client.handle, 0, &capacity), QDTLS_STATUS_OK);
    CHECK(capacity > 8192 && capacity <= 65536);
    CHECK(pair.client.read({}).size() >= 7 * 8192);
    pair.checkMessages();
}

CASE(a_refused_peer_can_be_accepted_later)
{
    Pair pair;
    connectUntilVerdict(pair);
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 0), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_PEER_VERIFICATION_FAILED);
    CHECK_EQUAL(pair.client.write("refused"), QDTLS_STATUS_INVALID_STATE);
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 1), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);
    pair.checkMessages();
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 0), QDTLS_STATUS_INVALID_STATE);
}

CASE(s7_a_refused_peer_is_told)
{
    Pair pair;
    connectUntilVerdict(pair);
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 0), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_abort(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
    CHECK_EQUAL(pair.server.read(pair.client.take()), "");
    CHECK_EQUAL(pair.server.end, QDTLS_STATUS_CLOSED);
}

static std::vector<qdtls_verify_error> verifyErrors(const Endpoint &side, std::size_t capacity)
{
    std::vector<qdtls_verify_error> errors(capacity);
    std::size_t count = 0;
    CHECK_EQUAL(qdtls_connection_verify_errors(side.handle, capacity > 0 ? errors.data() : nullptr,
                                               capacity, &count),
                QDTLS_STATUS_OK);
    CHECK_EQUAL(count, 2u);
    return errors;
}

CASE(all_verify_errors_are_told)
{
    Pair pair(clientContext(), serverContext(makeIdentity(-3600)));
    pair.connect();
    verifyErrors(pair.client, 0);
    const auto first = verifyErrors(pair.client, 1);
    CHECK_EQUAL(first[0].code, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    CHECK_EQUAL(first[0].depth, 0);
    auto all = verifyErrors(pair.client, 3);
    CHECK_EQUAL(all[1].code, X509_V_ERR_CERT_HAS_EXPIRED);
    CHECK_EQUAL(all[2].code, 0);
}

CASE(a_peer_without_errors_is_accepted_without_a_verdict)
{
    Pair pair;
    for (Endpoint *side : { &pair.client, &pair.server })
        CHECK_EQUAL(qdtls_connection_set_accept_verified(side->handle, 1), QDTLS_STATUS_OK);
    SSL_CTX_set_cert_store(pair.clientTls.get(), X509_STORE_new());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(pair.clientTls.get()),
                        SSL_CTX_get0_certificate(pair.serverTls.get()));
    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    pair.client.init(pair.clientTls.get());
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    pair.deliver();
    CHECK_EQUAL(pair.client.need, QDTLS_NEED_NOTHING);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_COMPLETE);
    pair.checkMessages();
}

CASE(a_peer_with_errors_is_refused_without_a_verdict)
{
    Pair pair;
    CHECK_EQUAL(qdtls_connection_set_accept_verified(pair.client.handle, 1), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    qdtls_status status = QDTLS_STATUS_OK;
    while (status == QDTLS_STATUS_OK
           && !(pair.server.outbox.empty() && pair.client.outbox.empty())) {
        while (status == QDTLS_STATUS_OK && !pair.server.outbox.empty())
            status = pair.client.proceed(pair.server.take());
        while (!pair.client.outbox.empty())
            pair.server.proceed(pair.client.take());
    }
    CHECK_EQUAL(status, QDTLS_STATUS_PEER_REFUSED);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_PEER_VERIFICATION_FAILED);
    CHECK_EQUAL(qdtls_connection_abort(pair.client.handle), QDTLS_STATUS_OK);
}
