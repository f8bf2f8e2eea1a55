// SPDX-License-Identifier: MIT OR Apache-2.0
// A1, A3, A10, A12: the program's code inside the library's calls, as a table. In each scene's
// callback each action is taken once. The call's outcome is the same as without the action,
// Aborted, or Busy, and the next handshake works.
#include "user_code.h"
#include "cases.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <sstream>

using namespace harness;

namespace {

struct Action {
    const char *name;
    // Does not throw: it runs inside the library.
    void (*act)(Stage &);
};

void leaveErrors(int count)
{
    BioPtr junk(BIO_new_mem_buf("no certificate", -1));
    for (int left = count; left > 0; --left)
        X509_free(PEM_read_bio_X509(junk.get(), nullptr, nullptr, nullptr));
}

void leaveAlert()
{
    for (const int reason : { SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, SSL_R_READ_TIMEOUT_EXPIRED }) {
#ifdef ERR_raise
        ERR_raise(ERR_LIB_SSL, reason);
#else
        ERR_put_error(ERR_LIB_SSL, 0, reason, __FILE__, __LINE__);
#endif
    }
}

// A connection of its own, from the first hello to messages.
bool connectsAnother()
{
    try {
        Pair pair(contexts());
        pair.connect();
        pair.checkMessages();
        return true;
    } catch (const Failure &) {
        return false;
    }
}

const Action actions[] = {
    { "nothing", [](Stage &) {} },
    { "leave an error", [](Stage &) { leaveErrors(1); } },
    { "leave more errors than the queue holds", [](Stage &) { leaveErrors(40); } },
    { "leave an alert and a timeout", [](Stage &) { leaveAlert(); } },
    { "clear the queue", [](Stage &) { ERR_clear_error(); } },
    { "clear the queue and leave an error",
      [](Stage &) {
          ERR_clear_error();
          leaveErrors(1);
      } },
    { "start another connection", [](Stage &) { connectsAnother(); } },
    { "fail to start another connection",
      [](Stage &) {
          Endpoint other(QDTLS_ROLE_SERVER);
          other.start(bytesOf("no hello"));
      } },
    { "reset", [](Stage &stage) { qdtls_connection_reset(stage.side->handle); } },
    { "free", [](Stage &stage) { stage.side->free(); } },
    { "continue",
      [](Stage &stage) {
          std::int32_t need = 0;
          qdtls_connection_continue(stage.side->handle, stage.datagram.data(),
                                    stage.datagram.size(), &need);
      } },
    { "handle the timeout",
      [](Stage &stage) {
          bool retransmitted = false;
          qdtls_connection_handle_timeout(stage.side->handle, &retransmitted);
      } },
    { "write",
      [](Stage &stage) {
          std::size_t written = 0;
          const std::uint8_t message[] = { 'y' };
          qdtls_connection_write(stage.side->handle, message, 1, &written);
      } },
    { "abort", [](Stage &stage) { qdtls_connection_abort(stage.side->handle); } },
    { "shut down", [](Stage &stage) { qdtls_connection_shutdown(stage.side->handle); } },
    { "reset and set up again",
      [](Stage &stage) {
          qdtls_connection_reset(stage.side->handle);
          SSL *ssl = nullptr;
          qdtls_context_new_ssl(stage.pair->clientTls.get(), &ssl);
          qdtls_connection_init_tls(stage.side->handle, ssl, nullptr, nullptr);
      } },
    { "remove the logger", [](Stage &) { qdtls_set_logger(nullptr); } },
};

struct Played {
    Outcome outcome;
    int calls = 0;
};

// The next handshake of the side, or of another one in its place, with a new peer.
void checkNextHandshake(Stage &stage)
{
    Pair &pair = *stage.pair;
    stage.side->onSend = nullptr;
    stage.side->onNow = nullptr;
    stage.side->onPsk = nullptr;
    stage.side->onRelease = nullptr;
    if (stage.side->handle == nullptr) {
        CHECK(connectsAnother());
        return;
    }
    Pair next(contexts());
    Endpoint &side = *stage.side;
    const bool isClient = &side == &pair.client;
    CHECK_EQUAL(qdtls_connection_reset(side.handle), QDTLS_STATUS_OK);
    side.outbox.clear();
    side.init((isClient ? next.clientTls : next.serverTls).get());
    if (isClient) {
        CHECK_EQUAL(side.start(), QDTLS_STATUS_OK);
        CHECK(!next.listener.verify(side.take()));
        CHECK_EQUAL(side.proceed(next.listener.outbox.front()), QDTLS_STATUS_OK);
        CHECK_EQUAL(next.server.start(side.take()), QDTLS_STATUS_OK);
    } else {
        CHECK_EQUAL(side.start(next.verifiedHello()), QDTLS_STATUS_OK);
    }
    Endpoint &client = isClient ? side : next.client;
    Endpoint &server = isClient ? next.server : side;
    for (int flight = 0; flight < 2; ++flight) {
        while (!server.outbox.empty())
            CHECK_EQUAL(client.proceed(server.take()), QDTLS_STATUS_OK);
        while (!client.outbox.empty())
            CHECK_EQUAL(server.proceed(client.take()), QDTLS_STATUS_OK);
    }
    acceptWhenAsked(client);
    acceptWhenAsked(server);
    CHECK_EQUAL(client.state(), QDTLS_STATE_COMPLETE);
    CHECK_EQUAL(server.state(), QDTLS_STATE_COMPLETE);
}

Played play(const Scene &scene, const Action &action)
{
    Stage stage = scene.prepare();
    Played played;
    const Hook once = [&] {
        if (++played.calls == 1)
            action.act(stage);
    };
    scene.hook(*stage.side, once);
    ERR_clear_error();
    played.outcome = scene.call(stage);
    setLogHook(nullptr);
    checkNextHandshake(stage);
    return played;
}

} // namespace

CASE(a1_a3_a10_a12_the_programs_code_does_not_change_the_outcome)
{
    for (const Scene &scene : scenes()) {
        const Played expected = play(scene, actions[0]);
        if (expected.calls == 0)
            fail(__FILE__, __LINE__, std::string(scene.name) + ": the callback did not run");
        for (const Action &action : actions) {
            const Played played = play(scene, action);
            const int status = played.outcome.status;
            if (played.calls > 0
                && (played.outcome == expected.outcome || status == QDTLS_STATUS_ABORTED
                    || status == QDTLS_STATUS_BUSY))
                continue;
            std::ostringstream what;
            what << scene.name << ", " << action.name << ": " << played.outcome << ", expected "
                 << expected.outcome;
            fail(__FILE__, __LINE__, what.str());
        }
    }
}
