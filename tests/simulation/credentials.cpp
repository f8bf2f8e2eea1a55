// SPDX-License-Identifier: MIT OR Apache-2.0
#include "credentials.h"
#include "cases.h"

using namespace harness;

namespace simulation {

namespace {

// A year: a case begins when the last one did.
constexpr long valid = 365 * 24 * 3600;

void allowResumption(Endpoint &endpoint, const Bytes &session)
{
    CHECK_EQUAL(qdtls_connection_set_resumption(endpoint.handle, 1, session.data(), session.size()),
                QDTLS_STATUS_OK);
}

Bytes sessionOf(const Endpoint &client)
{
    Bytes session(1 << 16);
    std::size_t length = 0;
    std::uint64_t hint = 0;
    CHECK_EQUAL(
        qdtls_connection_session(client.handle, session.data(), session.size(), &length, &hint),
        QDTLS_STATUS_OK);
    CHECK(length > 0);
    session.resize(length);
    return session;
}

Credentials certified(std::size_t commentLength)
{
    return { clientContext(), serverContext(makeIdentity(valid, commentLength)), {} };
}

// The session of a handshake on a perfect network.
void fetchSession(Credentials &credentials, const Cookie &cookie)
{
    Listener listener;
    Endpoint client(QDTLS_ROLE_CLIENT);
    Endpoint server(QDTLS_ROLE_SERVER);
    CHECK_EQUAL(qdtls_connection_set_cookie(server.handle, cookie.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_listener_set_cookie(listener.handle, cookie.handle), QDTLS_STATUS_OK);
    equip(client, server, credentials, true);
    CHECK_EQUAL(client.start(), QDTLS_STATUS_OK);
    CHECK(!listener.verify(client.take()));
    CHECK_EQUAL(client.proceed(listener.outbox.front()), QDTLS_STATUS_OK);
    CHECK_EQUAL(server.start(client.take()), QDTLS_STATUS_OK);
    while (!server.outbox.empty() || !client.outbox.empty()) {
        while (!server.outbox.empty())
            CHECK_EQUAL(client.proceed(server.take()), QDTLS_STATUS_OK);
        acceptWhenAsked(client);
        while (!client.outbox.empty())
            CHECK_EQUAL(server.proceed(client.take()), QDTLS_STATUS_OK);
        acceptWhenAsked(server);
    }
    credentials.session = sessionOf(client);
}

} // namespace

AllCredentials::AllCredentials()
    : psk { pskContext(), pskContext(), {} }
    , certificate(certified(0))
    , chain(certified(6000))
{
    for (Credentials *one : { &psk, &certificate })
        fetchSession(*one, cookie);
}

const Credentials &AllCredentials::of(Kind kind) const
{
    switch (kind) {
    case Kind::Psk:
    case Kind::ResumedPsk:
        return psk;
    case Kind::ResumedCertificate:
    case Kind::Certificate:
        return certificate;
    case Kind::Chain:
        break;
    }
    return chain;
}

void equip(Endpoint &client, Endpoint &server, const Credentials &credentials, bool resumes)
{
    if (resumes) {
        allowResumption(client, credentials.session);
        allowResumption(server, {});
    }
    for (Endpoint *side : { &client, &server })
        answerWithPsk(*side, bytesOf("a pre-shared key"));
    client.init(credentials.client.get());
    server.init(credentials.server.get());
}

} // namespace simulation
