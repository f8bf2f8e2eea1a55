// SPDX-License-Identifier: MIT OR Apache-2.0
// The counters of connections, listeners and the process.
#include "cases.h"
#include "pair.h"
#include "socket_endpoint.h"

using namespace harness;

namespace {

qdtls_connection_counters countersOf(const Endpoint &side)
{
    qdtls_connection_counters counters {};
    counters.size = sizeof counters;
    CHECK_EQUAL(qdtls_connection_statistics(side.handle, &counters), QDTLS_STATUS_OK);
    return counters;
}

qdtls_cookie_counters countersOf(const Listener &listener)
{
    qdtls_cookie_counters counters {};
    counters.size = sizeof counters;
    CHECK_EQUAL(qdtls_listener_statistics(listener.handle, &counters), QDTLS_STATUS_OK);
    return counters;
}

qdtls_process_counters processCounters()
{
    qdtls_process_counters counters {};
    counters.size = sizeof counters;
    CHECK_EQUAL(qdtls_process_statistics(&counters), QDTLS_STATUS_OK);
    return counters;
}

} // namespace

CASE(datagrams_bytes_and_records_are_counted_on_both_sides)
{
    Pair pair;
    pair.connect();
    const qdtls_connection_counters before = countersOf(pair.client);
    CHECK(before.datagrams_sent > 0 && before.records_sent >= before.datagrams_sent);
    CHECK(before.handshake_us > 0);
    CHECK_EQUAL(before.retransmissions, 0u);
    CHECK_EQUAL(countersOf(pair.server).datagrams_sent, before.datagrams_received - 1);

    CHECK_EQUAL(pair.client.write("message"), QDTLS_STATUS_OK);
    const Bytes datagram = pair.client.take();
    const qdtls_connection_counters after = countersOf(pair.client);
    CHECK_EQUAL(after.datagrams_sent, before.datagrams_sent + 1);
    CHECK_EQUAL(after.bytes_sent, before.bytes_sent + datagram.size());
    CHECK_EQUAL(after.records_sent, before.records_sent + 1);

    const qdtls_connection_counters received = countersOf(pair.server);
    CHECK_EQUAL(pair.server.read(datagram), "message");
    CHECK_EQUAL(countersOf(pair.server).datagrams_received, received.datagrams_received + 1);
    CHECK_EQUAL(countersOf(pair.server).bytes_received, received.bytes_received + datagram.size());
    CHECK_EQUAL(countersOf(pair.server).records_received, received.records_received + 1);
}

CASE(what_is_dropped_is_counted_by_reason)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    // Application data before there are keys.
    const Bytes unexpected { 23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 'x' };
    CHECK_EQUAL(pair.client.proceed(unexpected), QDTLS_STATUS_OK);
    CHECK_EQUAL(countersOf(pair.client).dropped_unexpected, 1u);
    CHECK_EQUAL(pair.client.proceed(bytesOf("junk")), QDTLS_STATUS_OK);
    CHECK_EQUAL(countersOf(pair.client).dropped_malformed_bytes, 4u);
    // A Certificate of 16 MiB.
    const Bytes tooLong { 22, 0xfe, 0xfd, 0,    0, 0, 0, 0, 0, 0, 2, 0, 13,
                          11, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 1, 0 };
    CHECK_EQUAL(pair.client.proceed(tooLong), QDTLS_STATUS_OK);
    CHECK_EQUAL(countersOf(pair.client).dropped_too_long, 1u);
    pair.deliver();
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);

    CHECK_EQUAL(pair.client.write("message"), QDTLS_STATUS_OK);
    Bytes datagram = pair.client.take();
    Bytes forged = datagram;
    forged.back() ^= 1;
    CHECK_EQUAL(pair.server.read(forged), "");
    CHECK_EQUAL(countersOf(pair.server).dropped_unauthentic, 1u);
    CHECK_EQUAL(pair.server.read(datagram), "message");
    CHECK_EQUAL(countersOf(pair.server).dropped_unauthentic, 1u);
    CHECK_EQUAL(pair.server.read(datagram), "");
    CHECK_EQUAL(countersOf(pair.server).dropped_unauthentic, 2u);
}

CASE(retransmissions_are_counted)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    pair.client.take();
    pair.client.waitUntilDue();
    CHECK_EQUAL(pair.client.handleTimeout(), QDTLS_STATUS_OK);
    CHECK_EQUAL(countersOf(pair.client).retransmissions, 1u);
    pair.deliver();
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);
}

CASE(the_counters_of_a_connection_begin_with_init_tls_and_stay_after_its_end)
{
    Pair pair;
    pair.connect();
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    const qdtls_connection_counters ended = countersOf(pair.client);
    CHECK(ended.datagrams_received > 0 && ended.handshake_us > 0);
    pair.client.init(pair.clientTls.get());
    CHECK_EQUAL(countersOf(pair.client).datagrams_sent, 0u);
    CHECK_EQUAL(countersOf(pair.client).handshake_us, 0u);
}

CASE(cookies_are_counted)
{
    const qdtls_process_counters before = processCounters();
    Pair pair;
    const Bytes hello = pair.verifiedHello();
    CHECK(pair.listener.verify(hello));
    CHECK_EQUAL(countersOf(pair.listener).issued, 1u);
    CHECK_EQUAL(countersOf(pair.listener).accepted, 1u);
    CHECK_EQUAL(countersOf(pair.listener).refused, 0u);
    CHECK(!pair.listener.verify(hello, ipv4(1)));
    CHECK_EQUAL(countersOf(pair.listener).refused, 1u);
    CHECK_EQUAL(countersOf(pair.listener).issued, 2u);
    CHECK_EQUAL(processCounters().cookies_issued, before.cookies_issued + 2);
    CHECK_EQUAL(processCounters().cookies_accepted, before.cookies_accepted + 1);
    CHECK_EQUAL(processCounters().cookies_refused, before.cookies_refused + 1);
}

CASE(the_process_counts_connections_and_handshakes)
{
    const qdtls_process_counters before = processCounters();
    {
        Pair pair;
        CHECK_EQUAL(processCounters().connections, before.connections + 2);
        pair.connect();
        CHECK_EQUAL(processCounters().handshakes_started, before.handshakes_started + 2);
        CHECK_EQUAL(processCounters().handshakes_completed, before.handshakes_completed + 2);
    }
    CHECK_EQUAL(processCounters().connections, before.connections);
    CHECK_EQUAL(processCounters().handshakes_failed, before.handshakes_failed);
}

CASE(an_endpoint_counts_cookies)
{
    const ContextPtr clientTls = clientContext();
    const ContextPtr serverTls = serverContext(makeIdentity());
    SocketEndpoint server;
    SocketEndpoint client(true);
    client.onJudge = [](qdtls_connection *) { return 1; };
    bool isConnected = false;
    client.onConnected = [&isConnected](qdtls_connection *) { isConnected = true; };
    server.listen(serverTls.get());
    client.connect(clientTls.get(), server);
    workUntil({ &server, &client }, [&isConnected] { return isConnected; });
    qdtls_cookie_counters counters {};
    counters.size = sizeof counters;
    CHECK_EQUAL(qdtls_endpoint_statistics(server.handle, &counters), QDTLS_STATUS_OK);
    CHECK_EQUAL(counters.issued, 1u);
    CHECK_EQUAL(counters.accepted, 1u);
}
