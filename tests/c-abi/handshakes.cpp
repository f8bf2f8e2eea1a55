// SPDX-License-Identifier: MIT OR Apache-2.0
// Handshakes that succeed, and the queries about the peer afterwards.
#include "cases.h"
#include "pair.h"
#include "wire.h"

#include <string>

using namespace harness;

static void connectAndTalk(const qdtls_address &address)
{
    Pair pair(address);
    pair.connect();
    pair.checkMessages();
}

CASE(certificate_over_ipv4)
{
    connectAndTalk(ipv4());
}

CASE(certificate_over_ipv6)
{
    connectAndTalk(ipv6());
}

CASE(certificate_over_link_local_ipv6)
{
    connectAndTalk(linkLocal());
}

CASE(the_listener_verifies_an_address_and_its_scope)
{
    Pair pair(linkLocal(3));
    const Bytes hello = pair.verifiedHello();
    CHECK(!pair.listener.verify(hello, linkLocal(4)));
    CHECK(!pair.listener.verify(hello, ipv6()));
    CHECK(pair.listener.verify(hello, linkLocal(3)));
}

CASE(the_listener_ignores_what_is_no_hello)
{
    Listener listener;
    for (const char *junk : { "", "x", "not a ClientHello at all" })
        CHECK(!listener.verify(bytesOf(junk)));
    CHECK(listener.outbox.empty());
}

CASE(a_server_with_cookies_starts_only_with_a_verified_hello)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.start(pair.client.take()), QDTLS_STATUS_COOKIE_REJECTED);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);
    CHECK(pair.server.outbox.empty());
}

CASE(a_server_without_cookies_starts_with_the_first_hello)
{
    Pair pair;
    CHECK_EQUAL(qdtls_connection_set_cookie(pair.server.handle, nullptr), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_reset(pair.server.handle), QDTLS_STATUS_OK);
    pair.server.init(pair.serverTls.get());
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.server.start(pair.client.take()), QDTLS_STATUS_OK);
    pair.deliver();
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_COMPLETE);
    pair.checkMessages();
}

CASE(the_peer_can_be_asked_about)
{
    Pair pair;
    pair.connect();

    X509 *certificate = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_certificate(pair.client.handle, &certificate),
                QDTLS_STATUS_OK);
    CHECK_EQUAL(X509_cmp(certificate, SSL_CTX_get0_certificate(pair.serverTls.get())), 0);
    STACK_OF(X509) *chain = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_chain(pair.client.handle, &chain), QDTLS_STATUS_OK);
    CHECK_EQUAL(sk_X509_num(chain), 1);
    CHECK_EQUAL(qdtls_connection_peer_certificate(pair.server.handle, &certificate),
                QDTLS_STATUS_OK);
    CHECK(certificate == nullptr);

    for (Endpoint *side : { &pair.client, &pair.server }) {
        const SSL_CIPHER *cipher = nullptr;
        CHECK_EQUAL(qdtls_connection_cipher(side->handle, &cipher), QDTLS_STATUS_OK);
        CHECK(cipher == SSL_get_current_cipher(side->ssl));
        CHECK(cipher != nullptr);
        std::int32_t protocol = QDTLS_PROTOCOL_UNKNOWN;
        CHECK_EQUAL(qdtls_connection_protocol(side->handle, &protocol), QDTLS_STATUS_OK);
        CHECK_EQUAL(protocol, QDTLS_PROTOCOL_DTLS1_2);
    }
}

static std::string alpnOf(const Endpoint &side)
{
    const std::uint8_t *name = nullptr;
    std::size_t length = 0;
    CHECK_EQUAL(qdtls_connection_alpn(side.handle, &name, &length), QDTLS_STATUS_OK);
    return length == 0 ? "" : textOf(Bytes(name, name + length));
}

static void setAlpn(Endpoint &side, const Bytes &list)
{
    CHECK_EQUAL(qdtls_connection_set_alpn(side.handle, list.data(), list.size()), QDTLS_STATUS_OK);
}

// Settings are those of the SSL that is given afterwards.
static void initAgain(Endpoint &side, const ContextPtr &context)
{
    CHECK_EQUAL(qdtls_connection_reset(side.handle), QDTLS_STATUS_OK);
    side.init(context.get());
}

CASE(s20_server_name_and_application_protocol_are_negotiated)
{
    Pair pair;
    CHECK_EQUAL(alpnOf(pair.client), "");
    const Bytes name = bytesOf("server.example");
    CHECK_EQUAL(qdtls_connection_set_server_name(pair.client.handle, name.data(), name.size()),
                QDTLS_STATUS_OK);
    setAlpn(pair.client, bytesOf("\4mqtt\4coap"));
    setAlpn(pair.server, bytesOf("\2h2\4coap"));
    initAgain(pair.client, pair.clientTls);
    initAgain(pair.server, pair.serverTls);
    pair.connect();
    CHECK_EQUAL(alpnOf(pair.client), "coap");
    CHECK_EQUAL(alpnOf(pair.server), "coap");
    CHECK_EQUAL(std::string(SSL_get_servername(pair.server.ssl, TLSEXT_NAMETYPE_host_name)),
                "server.example");
}

CASE(no_common_application_protocol_is_no_failure)
{
    Pair pair;
    setAlpn(pair.client, bytesOf("\4mqtt"));
    setAlpn(pair.server, bytesOf("\4coap"));
    initAgain(pair.client, pair.clientTls);
    initAgain(pair.server, pair.serverTls);
    pair.connect();
    CHECK_EQUAL(alpnOf(pair.client), "");
}

// The session that the client could resume; empty when there is none.
static Bytes sessionOf(const Endpoint &client)
{
    Bytes session(1 << 16);
    std::size_t length = 0;
    std::uint64_t hint = 0;
    CHECK_EQUAL(
        qdtls_connection_session(client.handle, session.data(), session.size(), &length, &hint),
        QDTLS_STATUS_OK);
    CHECK_EQUAL(hint > 0, length > 0);
    session.resize(length);
    return session;
}

static void setResumption(Endpoint &side, const Bytes &session)
{
    CHECK_EQUAL(qdtls_connection_set_resumption(side.handle, 1, session.data(), session.size()),
                QDTLS_STATUS_OK);
}

CASE(s20_no_ticket_unless_resumption_is_wanted)
{
    Pair pair;
    pair.connect();
    CHECK(sessionOf(pair.client).empty());
}

CASE(s20_a_session_can_be_resumed)
{
    Pair pair;
    Bytes session;
    for (const bool resumed : { false, true }) {
        setResumption(pair.client, session);
        setResumption(pair.server, {});
        initAgain(pair.client, pair.clientTls);
        initAgain(pair.server, pair.serverTls);
        pair.connect();
        pair.checkMessages();
        CHECK_EQUAL(SSL_session_reused(pair.client.ssl) == 1, resumed);
        session = sessionOf(pair.client);
        CHECK(!session.empty());

        std::size_t errors = 0;
        CHECK_EQUAL(qdtls_connection_verify_errors(pair.client.handle, nullptr, 0, &errors),
                    QDTLS_STATUS_OK);
        CHECK_EQUAL(errors, 1u);
        for (Endpoint *side : { &pair.client, &pair.server })
            CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
    }
}

// A client and a server that have shaken hands before; the client's certificate makes the ticket
// longer.
static std::unique_ptr<Pair> pairWithTicket(std::size_t commentLength)
{
    const Identity identity = makeIdentity(3600, commentLength);
    auto pair = std::make_unique<Pair>();
    SSL_CTX_set_verify(pair->serverTls.get(), SSL_VERIFY_PEER, q_X509DtlsCallback);
    CHECK_EQUAL(SSL_CTX_use_certificate(pair->clientTls.get(), identity.certificate.get()), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey(pair->clientTls.get(), identity.key.get()), 1);
    Bytes session;
    for (int handshake = 0; handshake < 2; ++handshake) {
        setResumption(pair->client, session);
        setResumption(pair->server, {});
        initAgain(pair->client, pair->clientTls);
        initAgain(pair->server, pair->serverTls);
        if (handshake > 0)
            break;
        pair->connect();
        session = sessionOf(pair->client);
        CHECK(!session.empty());
        for (Endpoint *side : { &pair->client, &pair->server })
            CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
    }
    return pair;
}

CASE(i3_a_client_hello_with_a_ticket_stays_in_one_datagram)
{
    for (const std::size_t commentLength : { 0, 300, 3000 }) {
        const auto pair = pairWithTicket(commentLength);
        CHECK_EQUAL(pair->client.start(), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair->client.outbox.size(), 1u);
        const std::size_t length = pair->client.outbox.front().size();
        CHECK(length <= 1252u - 32u);
        CHECK_EQUAL(length > 548u, commentLength < 3000);
        pair->deliver();
        pair->checkMessages();
        CHECK_EQUAL(SSL_session_reused(pair->client.ssl) == 1, commentLength < 3000);
    }
}

CASE(i3_a_ticket_that_is_not_answered_is_dropped)
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    const auto pair = pairWithTicket(300);
    CHECK_EQUAL(pair->client.start(), QDTLS_STATUS_OK);
    const std::size_t withTicket = pair->client.take().size();
    Bytes early;
    for (int tries = 1; tries <= 5; ++tries) {
        pair->client.waitUntilDue();
        CHECK_EQUAL(pair->client.handleTimeout(), QDTLS_STATUS_OK);
        const bool dropped = pair->client.outbox.size() == 1 && tries == 5;
        CHECK_EQUAL(pair->client.outbox.front().size() < withTicket, tries >= 2);
        CHECK_EQUAL(dropped, tries == 5);
        if (tries == 1)
            early = pair->client.outbox.front();
        if (!dropped)
            pair->client.outbox.clear();
    }
    // The answer to an earlier hello comes late.
    CHECK(!pair->listener.verify(early));
    CHECK_EQUAL(pair->client.proceed(pair->listener.outbox.front()), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair->client.outbox.size(), 1u);
    pair->listener.outbox.clear();
    pair->deliver();
    pair->checkMessages();
    CHECK_EQUAL(SSL_session_reused(pair->client.ssl), 0);
}

// What a client says about its peer while it has only the session of an earlier one.
static void checkNothingIsShown(const Endpoint &client)
{
    X509 *certificate = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_certificate(client.handle, &certificate), QDTLS_STATUS_OK);
    CHECK(certificate == nullptr);
    STACK_OF(X509) *chain = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_chain(client.handle, &chain), QDTLS_STATUS_OK);
    CHECK(chain == nullptr);
    const SSL_CIPHER *cipher = nullptr;
    CHECK_EQUAL(qdtls_connection_cipher(client.handle, &cipher), QDTLS_STATUS_OK);
    CHECK(cipher == nullptr);
    std::size_t errors = 77;
    CHECK_EQUAL(qdtls_connection_verify_errors(client.handle, nullptr, 0, &errors),
                QDTLS_STATUS_OK);
    CHECK_EQUAL(errors, 0u);
    CHECK(sessionOf(client).empty());
}

static X509 *certificateOf(const Endpoint &endpoint)
{
    X509 *certificate = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_certificate(endpoint.handle, &certificate), QDTLS_STATUS_OK);
    return certificate;
}

CASE(a22_a_session_that_is_only_offered_says_nothing_about_the_peer)
{
    Pair pair;
    setResumption(pair.client, {});
    setResumption(pair.server, {});
    initAgain(pair.client, pair.clientTls);
    initAgain(pair.server, pair.serverTls);
    pair.connect();
    const Bytes session = sessionOf(pair.client);
    CHECK(!session.empty() && certificateOf(pair.client) != nullptr);

    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_reset(pair.server.handle), QDTLS_STATUS_OK);
    setResumption(pair.client, session);
    initAgain(pair.client, pair.clientTls);
    checkNothingIsShown(pair.client);
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    checkNothingIsShown(pair.client);
    CHECK_EQUAL(pair.client.proceed(recordOf(21, 0, { SSL3_AL_FATAL, SSL_AD_INTERNAL_ERROR })),
                QDTLS_STATUS_ALERT_RECEIVED);
    checkNothingIsShown(pair.client);

    // A server that does not resume shows its own certificate.
    pair.client.outbox.clear();
    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    setResumption(pair.client, session);
    pair.client.init(pair.clientTls.get());
    pair.serverTls = serverContext(makeIdentity());
    pair.server.init(pair.serverTls.get());
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    while (!pair.server.outbox.empty())
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    X509 *shown = certificateOf(pair.client);
    CHECK(shown != nullptr);
    CHECK_EQUAL(X509_cmp(shown, SSL_CTX_get0_certificate(pair.serverTls.get())), 0);
}

CASE(s20_a_session_that_cannot_be_used_is_ignored)
{
    Pair pair;
    setResumption(pair.client, bytesOf("no session"));
    initAgain(pair.client, pair.clientTls);
    pair.connect();
    CHECK_EQUAL(SSL_session_reused(pair.client.ssl), 0);
}

CASE(a_connection_can_shake_hands_again)
{
    Pair pair;
    for (int round = 0; round < 3; ++round) {
        pair.connect();
        pair.checkMessages();
        for (Endpoint *side : { &pair.client, &pair.server })
            CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_INVALID_STATE);
        pair.client.init(pair.clientTls.get());
        pair.server.init(pair.serverTls.get());
    }
}
