// SPDX-License-Identifier: MIT OR Apache-2.0
// S4: no renegotiation, so that the certificate that the program judged stays the peer's.
#include "cases.h"
#include "pair.h"
#include "raw_peer.h"

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
