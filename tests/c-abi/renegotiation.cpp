// SPDX-License-Identifier: MIT OR Apache-2.0
// S4: no renegotiation, so that the certificate that the program judged stays the peer's.
#include "cases.h"
#include "pair.h"
#include "raw_peer.h"
#include "wire.h"

#include <string>
#include <vector>

using namespace harness;

namespace {

const std::pair<int, int> noRenegotiation { SSL3_AL_WARNING, SSL_AD_NO_RENEGOTIATION };

X509 *peerCertificate(const Endpoint &endpoint)
{
    X509 *certificate = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_certificate(endpoint.handle, &certificate), QDTLS_STATUS_OK);
    return certificate;
}

} // namespace

CASE(s4_a_server_cannot_renegotiate_with_another_certificate)
{
    const Identity honest = makeIdentity();
    const Identity other = makeIdentity();
    const ContextPtr serverTls = serverContext(honest);
    const ContextPtr clientTls = clientContext();
    RawPeer server(serverTls.get(), QDTLS_ROLE_SERVER);
    Endpoint client(QDTLS_ROLE_CLIENT);
    client.init(clientTls.get());
    server.connect(client);

    CHECK_EQUAL(SSL_use_certificate(server.ssl.get(), other.certificate.get()), 1);
    CHECK_EQUAL(SSL_use_PrivateKey(server.ssl.get(), other.key.get()), 1);
    CHECK_EQUAL(SSL_renegotiate(server.ssl.get()), 1);
    server.handshake();
    CHECK_EQUAL(client.read(server.take()), "");
    CHECK_EQUAL(client.end, QDTLS_STATUS_OK);
    CHECK_EQUAL(client.state(), QDTLS_STATE_COMPLETE);
    CHECK_EQUAL(X509_cmp(peerCertificate(client), honest.certificate.get()), 0);

    server.receive(client.take());
    CHECK_EQUAL(server.readMessage(), "");
    CHECK(server.alerts == std::vector { noRenegotiation });
    CHECK(client.outbox.empty());
}

CASE(s4_a_client_cannot_renegotiate)
{
    const ContextPtr serverTls = serverContext(makeIdentity());
    const ContextPtr clientTls(SSL_CTX_new(DTLS_method()));
    RawPeer client(clientTls.get(), QDTLS_ROLE_CLIENT);
    Endpoint server(QDTLS_ROLE_SERVER);
    server.init(serverTls.get());
    client.connect(server);

    CHECK_EQUAL(SSL_renegotiate(client.ssl.get()), 1);
    client.handshake();
    CHECK_EQUAL(server.read(client.take()), "");
    CHECK_EQUAL(server.end, QDTLS_STATUS_OK);
    CHECK_EQUAL(server.state(), QDTLS_STATE_COMPLETE);

    client.receive(server.take());
    CHECK(client.handshake() <= 0);
    CHECK(client.alerts == std::vector { noRenegotiation });

    // The client of OpenSSL ends the connection when it is refused.
    CHECK_EQUAL(server.read(client.take()), "");
    CHECK_EQUAL(server.end, QDTLS_STATUS_ALERT_RECEIVED);
    CHECK_EQUAL(server.lastError().category, QDTLS_CATEGORY_TLS_FATAL);
    CHECK_EQUAL(server.state(), QDTLS_STATE_NOT_STARTED);
}

// A hello in fragments leaves OpenSSL waiting for the rest, which is no failure.
CASE(s4_a_renegotiation_in_several_datagrams_is_refused_and_the_connection_goes_on)
{
    const ContextPtr serverTls = serverContext(makeIdentity());
    const ContextPtr clientTls(SSL_CTX_new(DTLS_method()));
    RawPeer client(clientTls.get(), QDTLS_ROLE_CLIENT);
    Endpoint server(QDTLS_ROLE_SERVER);
    server.init(serverTls.get());
    client.connect(server);

    DTLS_set_link_mtu(client.ssl.get(), 256);
    const std::string longName(200, 'n');
    CHECK_EQUAL(SSL_set_tlsext_host_name(client.ssl.get(), longName.c_str()), 1L);
    CHECK_EQUAL(SSL_renegotiate(client.ssl.get()), 1);
    client.handshake();
    const auto fragments = recordsOf(client.take());
    CHECK(fragments.size() > 1u);
    for (const Bytes &fragment : fragments) {
        CHECK_EQUAL(server.read(fragment), "");
        CHECK_EQUAL(server.status, QDTLS_STATUS_OK);
        CHECK_EQUAL(server.end, QDTLS_STATUS_OK);
        CHECK_EQUAL(server.state(), QDTLS_STATE_COMPLETE);
    }
    CHECK_EQUAL(server.write("still here"), QDTLS_STATUS_OK);

    while (!server.outbox.empty())
        client.receive(server.take());
    CHECK(client.handshake() <= 0);
    for (const Bytes &record : recordsOf(client.take()))
        server.read(record);
    CHECK_EQUAL(server.end, QDTLS_STATUS_ALERT_RECEIVED);
}

// The request that got lost leaves OpenSSL waiting for it when the next one comes.
CASE(s4_a_request_to_renegotiate_after_a_lost_one_does_not_end_the_connection)
{
    const ContextPtr serverTls = serverContext(makeIdentity());
    const ContextPtr clientTls = clientContext();
    RawPeer server(serverTls.get(), QDTLS_ROLE_SERVER);
    Endpoint client(QDTLS_ROLE_CLIENT);
    client.init(clientTls.get());
    server.connect(client);

    for (const bool isLost : { true, false }) {
        CHECK_EQUAL(SSL_renegotiate(server.ssl.get()), 1);
        server.handshake();
        const Bytes request = server.take();
        CHECK(!request.empty());
        if (!isLost)
            client.read(request);
    }
    CHECK_EQUAL(client.end, QDTLS_STATUS_OK);
    CHECK_EQUAL(client.state(), QDTLS_STATE_COMPLETE);
}

CASE(i8_a_repeated_hello_request_does_not_end_the_connection)
{
    const ContextPtr serverTls = serverContext(makeIdentity());
    const ContextPtr clientTls = clientContext();
    RawPeer server(serverTls.get(), QDTLS_ROLE_SERVER);
    Endpoint client(QDTLS_ROLE_CLIENT);
    client.init(clientTls.get());
    server.connect(client);
    for (int repeated = 0; repeated < 3; ++repeated) {
        CHECK_EQUAL(SSL_renegotiate(server.ssl.get()), 1);
        server.handshake();
        CHECK_EQUAL(client.read(server.take()), "");
        CHECK_EQUAL(client.end, QDTLS_STATUS_OK);
        CHECK_EQUAL(SSL_write(server.ssl.get(), "data", 4), 4);
        CHECK_EQUAL(client.read(server.take()), "data");
        CHECK_EQUAL(client.end, QDTLS_STATUS_OK);
    }
    CHECK_EQUAL(client.outbox.size(), 1u);
    CHECK_EQUAL(client.write("still here"), QDTLS_STATUS_OK);
}
