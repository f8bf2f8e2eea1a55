// SPDX-License-Identifier: MIT OR Apache-2.0
#include "user_code.h"
#include "cases.h"

#include <utility>

namespace harness {

std::ostream &operator<<(std::ostream &out, const Outcome &outcome)
{
    return out << outcome.status << '/' << outcome.end << " (" << outcome.reason << ')';
}

namespace {

Outcome outcomeOf(const Endpoint &side, int status, int end = QDTLS_STATUS_OK)
{
    Outcome outcome { status, end, 0, {} };
    if (side.handle != nullptr && (status != QDTLS_STATUS_OK || end != QDTLS_STATUS_OK)) {
        const qdtls_error error = side.lastError();
        outcome.code = error.openssl_code;
        outcome.reason = error.reason;
    }
    return outcome;
}

Hook &logAction()
{
    static Hook action;
    return action;
}

extern "C" {
static void actOnLine(const char *)
{
    if (logAction())
        logAction()();
}
}

void hookSend(Endpoint &side, const Hook &action)
{
    side.onSend = [&side, action](const Bytes &datagram) {
        if (side.handle != nullptr)
            side.outbox.push_back(datagram);
        action();
        return QDTLS_SEND_RESULT_SENT;
    };
}

void hookNow(Endpoint &side, const Hook &action)
{
    side.onNow = action;
}

void hookPsk(Endpoint &side, const Hook &action)
{
    side.onPsk = [action](const qdtls_psk_request &, qdtls_psk_reply *reply) {
        const Bytes key = bytesOf("a pre-shared key");
        qdtls_psk_reply_set(reply, key.data(), key.size(), key.data(), key.size());
        action();
    };
}

// The key that is too long is logged.
void hookLog(Endpoint &side, const Hook &action)
{
    answerWithPsk(side, Bytes(600, 'k'));
    waitForWarnings();
    setLogHook(action);
}

void hookRelease(Endpoint &side, const Hook &action)
{
    side.onRelease = action;
}

Hook &ownerAction()
{
    static Hook action;
    return action;
}

extern "C" {
static void actOnRelease(void *)
{
    ownerAction()();
}
}

// Sets the side up again, with an owner of its context.
void hookContextOwner(Endpoint &side, const Hook &action)
{
    ownerAction() = action;
    SSL *ssl = nullptr;
    CHECK_EQUAL(qdtls_context_new_ssl(SSL_get_SSL_CTX(side.ssl), &ssl), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_init_tls(side.handle, ssl, nullptr, actOnRelease),
                QDTLS_STATUS_OK);
}

Stage clientBefore(std::unique_ptr<Pair> pair)
{
    Stage stage { std::move(pair), nullptr, {} };
    stage.side = &stage.pair->client;
    return stage;
}

Stage serverBefore(std::unique_ptr<Pair> pair)
{
    Stage stage { std::move(pair), nullptr, {} };
    stage.side = &stage.pair->server;
    return stage;
}

Stage freshClient()
{
    return clientBefore(std::make_unique<Pair>(contexts()));
}

Stage clientBeforeVerifyRequest()
{
    Stage stage = freshClient();
    CHECK_EQUAL(stage.side->start(), QDTLS_STATUS_OK);
    CHECK(!stage.pair->listener.verify(stage.side->take()));
    stage.datagram = stage.pair->listener.outbox.front();
    return stage;
}

Stage serverBeforeHello()
{
    Stage stage = serverBefore(std::make_unique<Pair>(contexts()));
    stage.datagram = stage.pair->verifiedHello();
    return stage;
}

Stage serverWithoutSharedCipher()
{
    Stage stage = serverBeforeHello();
    CHECK_EQUAL(SSL_set_cipher_list(stage.side->ssl, "ECDHE-RSA-AES128-GCM-SHA256"), 1);
    return stage;
}

// The datagram that makes the receiver ask for the key.
Stage clientBeforeKey()
{
    Stage stage = clientBefore(Pair::psk());
    Pair &pair = *stage.pair;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    while (pair.server.outbox.size() > 1)
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    stage.datagram = pair.server.take();
    return stage;
}

Stage serverBeforeKey()
{
    Stage stage = clientBeforeKey();
    Pair &pair = *stage.pair;
    stage.side = &pair.server;
    CHECK_EQUAL(pair.client.proceed(stage.datagram), QDTLS_STATUS_OK);
    stage.datagram = pair.client.take();
    return stage;
}

Stage clientBeforeItsLastFlight()
{
    Stage stage = freshClient();
    Pair &pair = *stage.pair;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    while (pair.server.outbox.size() > 1)
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    stage.datagram = pair.server.take();
    return stage;
}

// A client that does not know the certificate's issuer, and has OpenSSL end the handshake then.
Stage clientThatRefuses()
{
    ContextPtr strict(SSL_CTX_new(DTLS_method()));
    CHECK_EQUAL(qdtls_context_prepare(strict.get()), QDTLS_STATUS_OK);
    SSL_CTX_set_verify(strict.get(), SSL_VERIFY_PEER, nullptr);
    auto pair = std::make_unique<Pair>(std::move(strict), serverContext(makeIdentity()));
    Stage stage = clientBefore(std::move(pair));
    CHECK_EQUAL(stage.pair->server.start(stage.pair->verifiedHello()), QDTLS_STATUS_OK);
    return stage;
}

Stage clientWhoseTimerIsDue()
{
    const ScopedSetting initial(QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20);
    Stage stage = freshClient();
    CHECK_EQUAL(stage.side->start(), QDTLS_STATUS_OK);
    stage.side->outbox.clear();
    stage.side->waitUntilDue();
    return stage;
}

Stage connectedClient()
{
    Stage stage = freshClient();
    stage.pair->connect();
    return stage;
}

Stage refusingClient()
{
    Stage stage = freshClient();
    stage.pair->connectUntilVerdicts();
    return stage;
}

Bytes foreignHello(Pair &pair)
{
    Endpoint foreign(QDTLS_ROLE_CLIENT);
    foreign.init(pair.clientTls.get());
    CHECK_EQUAL(foreign.start(), QDTLS_STATUS_OK);
    return foreign.take();
}

Stage connectedServerAndForeignHello()
{
    Stage stage = serverBefore(std::make_unique<Pair>(contexts()));
    stage.pair->connect();
    stage.datagram = foreignHello(*stage.pair);
    return stage;
}

Stage unjudgedServerAndForeignHello()
{
    Stage stage = serverBefore(std::make_unique<Pair>(contexts()));
    stage.pair->connectUntilVerdicts();
    stage.datagram = foreignHello(*stage.pair);
    return stage;
}

// With a CBC cipher a record with a wrong MAC ends the connection, with an alert.
Stage clientBeforeAForgedRecord()
{
    ContextPtr cbc = clientContext();
    CHECK_EQUAL(SSL_CTX_set_cipher_list(cbc.get(), "ECDHE-ECDSA-AES128-SHA"), 1);
    Stage stage =
        clientBefore(std::make_unique<Pair>(std::move(cbc), serverContext(makeIdentity())));
    stage.pair->connect();
    CHECK_EQUAL(stage.pair->server.write("a message"), QDTLS_STATUS_OK);
    stage.datagram = stage.pair->server.take();
    stage.datagram.back() ^= 1;
    return stage;
}

Outcome start(Stage &stage)
{
    return outcomeOf(*stage.side, stage.side->start(stage.datagram));
}

Outcome proceed(Stage &stage)
{
    return outcomeOf(*stage.side, stage.side->proceed(stage.datagram));
}

Outcome proceedWithAll(Stage &stage)
{
    Pair &pair = *stage.pair;
    do {
        pair.client.proceed(pair.server.take());
    } while (!pair.server.outbox.empty() && pair.client.status == QDTLS_STATUS_OK);
    return outcomeOf(pair.client, pair.client.status);
}

Outcome handleTimeout(Stage &stage)
{
    return outcomeOf(*stage.side, stage.side->handleTimeout());
}

Outcome write(Stage &stage)
{
    std::size_t written = 0;
    const std::uint8_t message[] = { 'x' };
    return outcomeOf(*stage.side, qdtls_connection_write(stage.side->handle, message, 1, &written));
}

Outcome read(Stage &stage)
{
    stage.side->read(stage.datagram);
    return outcomeOf(*stage.side, stage.side->status, stage.side->end);
}

Outcome shutDown(Stage &stage)
{
    return outcomeOf(*stage.side, qdtls_connection_shutdown(stage.side->handle));
}

Outcome abortIt(Stage &stage)
{
    return outcomeOf(*stage.side, qdtls_connection_abort(stage.side->handle));
}

Outcome resetIt(Stage &stage)
{
    return outcomeOf(*stage.side, qdtls_connection_reset(stage.side->handle));
}

Outcome initAgain(Stage &stage)
{
    SSL *ssl = nullptr;
    CHECK_EQUAL(qdtls_context_new_ssl(stage.pair->clientTls.get(), &ssl), QDTLS_STATUS_OK);
    return outcomeOf(*stage.side,
                     qdtls_connection_init_tls(stage.side->handle, ssl, nullptr, nullptr));
}

Outcome freeIt(Stage &stage)
{
    stage.side->free();
    return {};
}

const std::vector<Scene> all {
    { "send of a first hello", freshClient, hookSend, start },
    { "send of a second hello", clientBeforeVerifyRequest, hookSend, proceed },
    { "now of start", serverBeforeHello, hookNow, start },
    { "send of a server's flight", serverBeforeHello, hookSend, start },
    { "send of a server's alert", serverWithoutSharedCipher, hookSend, start },
    { "send of a client's flight", clientBeforeItsLastFlight, hookSend, proceed },
    { "send of a client's alert", clientThatRefuses, hookSend, proceedWithAll },
    { "psk of a client", clientBeforeKey, hookPsk, proceed },
    { "psk of a server", serverBeforeKey, hookPsk, proceed },
    { "log of a client", clientBeforeKey, hookLog, proceed },
    { "send of a retransmission", clientWhoseTimerIsDue, hookSend, handleTimeout },
    { "send of a message", connectedClient, hookSend, write },
    { "send of a read's alert", clientBeforeAForgedRecord, hookSend, read },
    { "now of a read", connectedServerAndForeignHello, hookNow, read },
    { "send of a read", connectedServerAndForeignHello, hookSend, read },
    { "send while a verdict is awaited", unjudgedServerAndForeignHello, hookSend, proceed },
    { "send of shutdown", connectedClient, hookSend, shutDown },
    { "send of abort", refusingClient, hookSend, abortIt },
    { "release of free", connectedClient, hookRelease, freeIt },
    { "release of a context's owner by reset", freshClient, hookContextOwner, resetIt },
    { "release of a context's owner by init TLS", freshClient, hookContextOwner, initAgain },
    { "release of a context's owner by free", freshClient, hookContextOwner, freeIt },
};

} // namespace

const std::vector<Scene> &scenes()
{
    return all;
}

const Contexts &contexts()
{
    static const Contexts shared;
    return shared;
}

void setLogHook(const Hook &action)
{
    logAction() = action;
    qdtls_set_logger(action ? actOnLine : nullptr);
}

} // namespace harness
