// SPDX-License-Identifier: MIT OR Apache-2.0
// Sessions as objects, which are decoded once for any number of connections.
#include "cases.h"
#include "pair.h"

#include <memory>
#include <thread>
#include <vector>

using namespace harness;

namespace {

struct FreeSession {
    void operator()(qdtls_session *session) const { qdtls_session_free(session); }
};
using Session = std::unique_ptr<qdtls_session, FreeSession>;

Session decoded(const Bytes &asn1)
{
    qdtls_session *session = nullptr;
    CHECK_EQUAL(qdtls_session_decode(asn1.data(), asn1.size(), &session), QDTLS_STATUS_OK);
    return Session(session);
}

Bytes encoded(const Session &session)
{
    Bytes asn1(1 << 16);
    std::size_t length = 0;
    std::uint64_t hint = 0;
    CHECK_EQUAL(qdtls_session_encode(session.get(), asn1.data(), asn1.size(), &length, &hint),
                QDTLS_STATUS_OK);
    CHECK(length > 0 && hint > 0);
    asn1.resize(length);
    return asn1;
}

// Null if the server sent no ticket.
Session kept(const Endpoint &client)
{
    qdtls_session *session = nullptr;
    CHECK_EQUAL(qdtls_connection_keep_session(client.handle, &session), QDTLS_STATUS_OK);
    return Session(session);
}

// Whether a handshake that offers the session resumes it. The sides send no close_notify at its
// end.
bool resumes(Pair &pair, const Session &session)
{
    for (Endpoint *side : { &pair.client, &pair.server }) {
        CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
        CHECK_EQUAL(qdtls_connection_set_resumption(side->handle, 1, nullptr, 0), QDTLS_STATUS_OK);
    }
    if (session)
        CHECK_EQUAL(qdtls_connection_offer_session(pair.client.handle, session.get()),
                    QDTLS_STATUS_OK);
    pair.client.init(pair.clientTls.get());
    pair.server.init(pair.serverTls.get());
    pair.connect();
    pair.checkMessages();
    return SSL_session_reused(pair.client.ssl) == 1;
}

} // namespace

CASE(s20_a_session_is_decoded_once_for_many_connections)
{
    Pair pair;
    CHECK(!resumes(pair, {}));
    const Session first = kept(pair.client);
    const Bytes asn1 = encoded(first);
    const Session session = decoded(asn1);
    for (int connection = 0; connection < 3; ++connection) {
        CHECK(resumes(pair, session));
        // The session is the same, and so is what it is encoded to.
        CHECK(encoded(kept(pair.client)) == asn1);
    }
}

CASE(s20_a_session_is_offered_once)
{
    Pair pair;
    CHECK(!resumes(pair, {}));
    const Session session = decoded(encoded(kept(pair.client)));
    CHECK(resumes(pair, session));
    CHECK(!resumes(pair, {}));
}

CASE(s20_a_session_that_is_kept_outlives_its_connection)
{
    Pair pair;
    CHECK(!resumes(pair, {}));
    const Session session = kept(pair.client);
    Bytes asn1(1 << 16);
    std::size_t length = 0;
    std::uint64_t hint = 0;
    CHECK_EQUAL(
        qdtls_connection_session(pair.client.handle, asn1.data(), asn1.size(), &length, &hint),
        QDTLS_STATUS_OK);
    asn1.resize(length);
    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    CHECK(encoded(session) == asn1);
    // Its connection has ended without a close_notify, and it has a chain.
    CHECK(resumes(pair, session));
}

CASE(s20_a_server_that_does_not_know_a_session_makes_another)
{
    Pair pair;
    CHECK(!resumes(pair, {}));
    const Session session = decoded(encoded(kept(pair.client)));
    pair.serverTls = serverContext(makeIdentity());
    CHECK(!resumes(pair, session));
    CHECK(encoded(kept(pair.client)) != encoded(session));
}

CASE(s20_there_is_no_session_without_a_ticket)
{
    Pair pair;
    pair.connect();
    CHECK(kept(pair.client) == nullptr);
    CHECK(kept(pair.server) == nullptr);
}

CASE(a22_a_kept_session_says_nothing_about_the_next_peer)
{
    Pair pair;
    CHECK(!resumes(pair, {}));
    const Session session = kept(pair.client);
    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_offer_session(pair.client.handle, session.get()), QDTLS_STATUS_OK);
    pair.client.init(pair.clientTls.get());
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    X509 *certificate = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_certificate(pair.client.handle, &certificate),
                QDTLS_STATUS_OK);
    CHECK(certificate == nullptr);
    CHECK(kept(pair.client) == nullptr);
}

CASE(s20_threads_share_a_session)
{
    Pair pair;
    CHECK(!resumes(pair, {}));
    const Bytes asn1 = encoded(kept(pair.client));
    const Session session = decoded(asn1);
    std::vector<std::thread> threads;
    std::vector<int> resumed(4);
    for (int &count : resumed) {
        threads.emplace_back([&] {
            Pair own;
            own.serverTls.reset(pair.serverTls.get());
            SSL_CTX_up_ref(own.serverTls.get());
            for (int connection = 0; connection < 20; ++connection)
                count += resumes(own, session) && encoded(kept(own.client)) == asn1;
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    for (const int count : resumed)
        CHECK_EQUAL(count, 20);
}
