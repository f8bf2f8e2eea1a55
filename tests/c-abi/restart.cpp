// SPDX-License-Identifier: MIT OR Apache-2.0
// S22: a client that restarts on the same port (RFC 6347, 4.2.8).
#include "cases.h"
#include "pair.h"

using namespace harness;

namespace {

// The client after its restart: it knows nothing of the connection before.
struct Restarted {
    explicit Restarted(SSL_CTX *context) { client.init(context); }

    Endpoint client { QDTLS_ROLE_CLIENT };
};

} // namespace

CASE(s22_a_restarted_client_is_reported_once_it_is_verified)
{
    Pair pair;
    pair.connect();
    Restarted again(pair.clientTls.get());
    CHECK_EQUAL(again.client.start(), QDTLS_STATUS_OK);

    CHECK_EQUAL(pair.server.read(again.client.take()), "");
    CHECK_EQUAL(pair.server.status, QDTLS_STATUS_OK);
    CHECK_EQUAL(again.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    pair.checkMessages();

    const Bytes hello = again.client.take();
    pair.server.read(hello);
    CHECK_EQUAL(pair.server.status, QDTLS_STATUS_PEER_RESTARTED);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);

    pair.server.init(pair.serverTls.get());
    CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
    CHECK(!pair.server.outbox.empty());
}

CASE(s22_a_client_may_restart_during_the_handshake)
{
    Pair pair;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    pair.server.outbox.clear();
    Restarted again(pair.clientTls.get());
    CHECK_EQUAL(again.client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.proceed(again.client.take()), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.need, QDTLS_NEED_DATAGRAM);
    CHECK_EQUAL(again.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.proceed(again.client.take()), QDTLS_STATUS_PEER_RESTARTED);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);
}

CASE(s22_a_forged_hello_does_not_end_the_connection)
{
    Pair pair;
    pair.connect();
    Restarted forger(pair.clientTls.get());
    CHECK_EQUAL(forger.client.start(), QDTLS_STATUS_OK);
    const Bytes hello = forger.client.take();
    for (int attempt = 0; attempt < 5; ++attempt) {
        pair.server.read(hello);
        CHECK_EQUAL(pair.server.status, QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.server.take()[0], 22);
    }
    pair.checkMessages();
}

CASE(a17_a_hello_older_than_the_connection_does_not_end_it)
{
    Pair pair;
    // An earlier handshake from the same address, which someone has recorded.
    Restarted earlier(pair.clientTls.get());
    CHECK_EQUAL(earlier.client.start(), QDTLS_STATUS_OK);
    CHECK(!pair.listener.verify(earlier.client.take()));
    CHECK_EQUAL(earlier.client.proceed(pair.listener.outbox.front()), QDTLS_STATUS_OK);
    pair.listener.outbox.clear();
    const Bytes recorded = earlier.client.take();

    pair.listener.now += 1000;
    pair.server.now += 1000;
    CHECK(pair.listener.verify(recorded));
    pair.connect();
    CHECK_EQUAL(pair.server.read(recorded), "");
    CHECK_EQUAL(pair.server.status, QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_COMPLETE);
    pair.server.outbox.clear();
    pair.checkMessages();
}

// The first connection of the client, then a second one from the same port a moment later.
CASE(i5_the_hello_of_the_connection_before_does_not_end_this_one)
{
    Pair pair;
    const Bytes recorded = pair.verifiedHello();
    CHECK_EQUAL(pair.server.start(recorded), QDTLS_STATUS_OK);
    pair.deliver();
    pair.checkMessages();
    pair.listener.now = pair.server.now;
    for (Endpoint *side : { &pair.client, &pair.server })
        CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
    pair.client.init(pair.clientTls.get());
    pair.server.init(pair.serverTls.get());
    pair.connect();
    for (int replay = 0; replay < 3; ++replay) {
        CHECK_EQUAL(pair.server.read(recorded), "");
        CHECK_EQUAL(pair.server.status, QDTLS_STATUS_OK);
    }
    pair.server.outbox.clear();
    pair.checkMessages();
}

// A bit of the message's length is flipped: the hello looks like the first fragment of a longer
// one, and no timer runs while the server waits for the rest.
CASE(an_altered_hello_does_not_keep_the_server_waiting)
{
    Pair pair;
    const Bytes hello = pair.verifiedHello();
    Bytes altered = hello;
    altered[15] ^= 0x10;
    CHECK_EQUAL(pair.server.start(altered), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.proceed(altered), QDTLS_STATUS_OK);
    CHECK(pair.server.outbox.empty());
    CHECK_EQUAL(pair.server.proceed(hello), QDTLS_STATUS_PEER_RESTARTED);
    pair.server.init(pair.serverTls.get());
    CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
    pair.deliver();
    pair.checkMessages();
}
