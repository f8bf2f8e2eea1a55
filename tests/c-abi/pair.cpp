// SPDX-License-Identifier: MIT OR Apache-2.0
#include "pair.h"
#include "cases.h"
#include "clock.h"

#include <algorithm>
#include <utility>

namespace harness {

namespace {

ContextPtr share(const ContextPtr &context)
{
    SSL_CTX_up_ref(context.get());
    return ContextPtr(context.get());
}

} // namespace

Pair::Pair(const qdtls_address &peer)
    : Pair(clientContext(), serverContext(makeIdentity()), peer)
{
}

Pair::Pair(const Contexts &shared)
    : Pair(share(shared.client), share(shared.server))
{
}

Pair::Pair(ContextPtr clientSide, ContextPtr serverSide, const qdtls_address &peer)
    : address(peer)
    , clientTls(std::move(clientSide))
    , serverTls(std::move(serverSide))
    , client(QDTLS_ROLE_CLIENT, peer)
    , server(QDTLS_ROLE_SERVER, peer)
{
    Cookie cookie;
    CHECK_EQUAL(qdtls_connection_set_cookie(server.handle, cookie.handle), QDTLS_STATUS_OK);
    client.init(clientTls.get());
    server.init(serverTls.get());
}

std::unique_ptr<Pair> Pair::psk(const char *hint)
{
    auto pair = std::make_unique<Pair>(pskContext(), pskContext(hint));
    answerWithPsk(pair->client, bytesOf("a pre-shared key"));
    answerWithPsk(pair->server, bytesOf("a pre-shared key"));
    return pair;
}

void Pair::connect()
{
    CHECK_EQUAL(client.start(), QDTLS_STATUS_OK);
    deliver();
    while (client.state() != QDTLS_STATE_COMPLETE || server.state() != QDTLS_STATE_COMPLETE) {
        waitForTimer();
        deliver();
    }
}

void Pair::deliver()
{
    while (!client.outbox.empty() || !listener.outbox.empty() || !server.outbox.empty()) {
        carry(client.outbox, &Pair::toServer);
        carry(listener.outbox, &Pair::toClient);
        carry(server.outbox, &Pair::toClient);
    }
}

void Pair::carry(std::deque<Bytes> &outbox, Receive receive)
{
    std::deque<Bytes> flight = std::exchange(outbox, {});
    if (reversing)
        std::reverse(flight.begin(), flight.end());
    for (const Bytes &datagram : flight) {
        const int times = datagram.size() > longest ? 0 : copies(carried);
        ++carried;
        for (int left = times; left > 0; --left)
            (this->*receive)(datagram);
    }
}

void Pair::toClient(const Bytes &datagram)
{
    if (client.state() == QDTLS_STATE_COMPLETE) {
        client.read(datagram);
        CHECK_EQUAL(client.status, QDTLS_STATUS_OK);
        return;
    }
    CHECK_EQUAL(client.proceed(datagram), QDTLS_STATUS_OK);
    acceptWhenAsked(client);
}

void Pair::toServer(const Bytes &datagram)
{
    switch (server.state()) {
    case QDTLS_STATE_COMPLETE:
        server.read(datagram);
        break;
    case QDTLS_STATE_NOT_STARTED:
        if (!listener.verify(datagram, address))
            return;
        server.start(datagram);
        break;
    default:
        server.proceed(datagram);
        break;
    }
    CHECK_EQUAL(server.status, QDTLS_STATUS_OK);
    acceptWhenAsked(server);
}

// Lets time pass until the first timer is due, and lets it act.
void Pair::waitForTimer()
{
    const auto never = ~std::uint64_t(0);
    const auto left = std::min(client.timeout().value_or(never), server.timeout().value_or(never));
    CHECK(left != never);
    passTime(static_cast<std::int64_t>(left));
    for (Endpoint *endpoint : { &client, &server }) {
        if (endpoint->timeout())
            CHECK_EQUAL(endpoint->handleTimeout(), QDTLS_STATUS_OK);
    }
}

void Pair::connectUntilVerdicts()
{
    CHECK_EQUAL(server.start(verifiedHello()), QDTLS_STATUS_OK);
    for (int flight = 0; flight < 2; ++flight) {
        while (!server.outbox.empty())
            CHECK_EQUAL(client.proceed(server.take()), QDTLS_STATUS_OK);
        while (!client.outbox.empty())
            CHECK_EQUAL(server.proceed(client.take()), QDTLS_STATUS_OK);
    }
    CHECK_EQUAL(client.need, QDTLS_NEED_VERDICT);
    CHECK_EQUAL(server.need, QDTLS_NEED_VERDICT);
}

Bytes Pair::verifiedHello()
{
    CHECK_EQUAL(client.start(), QDTLS_STATUS_OK);
    CHECK(!listener.verify(client.take(), address));
    CHECK_EQUAL(listener.outbox.size(), 1u);
    CHECK_EQUAL(client.proceed(listener.outbox.front()), QDTLS_STATUS_OK);
    listener.outbox.clear();
    // On a slow machine the client has sent its first hello again before.
    while (client.outbox.size() > 1)
        client.take();
    return client.take();
}

void Pair::checkMessages()
{
    CHECK_EQUAL(client.write("ping"), QDTLS_STATUS_OK);
    CHECK_EQUAL(server.read(client.take()), "ping");
    CHECK_EQUAL(server.write("pong"), QDTLS_STATUS_OK);
    CHECK_EQUAL(client.read(server.take()), "pong");
    CHECK_EQUAL(client.end, QDTLS_STATUS_OK);
}

void acceptWhenAsked(Endpoint &endpoint)
{
    if (endpoint.state() == QDTLS_STATE_IN_PROGRESS && endpoint.need == QDTLS_NEED_VERDICT)
        CHECK_EQUAL(qdtls_connection_judge_peer(endpoint.handle, 1), QDTLS_STATUS_OK);
}

void answerWithPsk(Program &program, const Bytes &key, const std::string &identity)
{
    program.onPsk = [key, identity](const qdtls_psk_request &, qdtls_psk_reply *reply) {
        const auto *name = reinterpret_cast<const std::uint8_t *>(identity.data());
        qdtls_psk_reply_set(reply, name, identity.size(), key.data(), key.size());
    };
}

} // namespace harness
