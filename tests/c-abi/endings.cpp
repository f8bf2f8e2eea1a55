// SPDX-License-Identifier: MIT OR Apache-2.0
// The ends of handshakes and connections: close_notify, alerts, and junk that must not end them.
#include "cases.h"
#include "pair.h"
#include "raw_peer.h"
#include "wire.h"

#include <utility>

using namespace harness;

namespace {

// A record of epoch 0, as anyone can send it.
Bytes forgedRecord(std::uint8_t content, const Bytes &fragment)
{
    Bytes record { content, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0 };
    record[12] = static_cast<std::uint8_t>(fragment.size());
    record.insert(record.end(), fragment.begin(), fragment.end());
    return record;
}

Bytes forgedAlert()
{
    return forgedRecord(21, { SSL3_AL_FATAL, SSL_AD_HANDSHAKE_FAILURE });
}

} // namespace

CASE(shutdown_closes_the_peer)
{
    Pair pair;
    pair.connect();
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
    CHECK_EQUAL(pair.server.read(pair.client.take()), "");
    CHECK_EQUAL(pair.server.end, QDTLS_STATUS_CLOSED);
    CHECK_EQUAL(pair.server.lastError().category, QDTLS_CATEGORY_REMOTE_CLOSED);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);
}

CASE(a_close_notify_ends_a_handshake)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const Bytes closeNotify = forgedRecord(21, { SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY });
    CHECK_EQUAL(pair.client.proceed(closeNotify), QDTLS_STATUS_CLOSED);
    CHECK_EQUAL(pair.client.lastError().category, QDTLS_CATEGORY_REMOTE_CLOSED);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
}

// RFC 5246, 7.2.1: the other side must answer with a close_notify of its own.
CASE(f7_a_close_notify_is_answered)
{
    const Identity identity = makeIdentity();
    for (const qdtls_role role : { QDTLS_ROLE_CLIENT, QDTLS_ROLE_SERVER }) {
        const bool isClient = role == QDTLS_ROLE_CLIENT;
        const ContextPtr ours = isClient ? clientContext() : serverContext(identity);
        const ContextPtr theirs = isClient ? serverContext(identity) : clientContext();
        RawPeer peer(theirs.get(), isClient ? QDTLS_ROLE_SERVER : QDTLS_ROLE_CLIENT);
        SSL_set_verify(peer.ssl.get(), SSL_VERIFY_NONE, nullptr);
        Endpoint endpoint(role);
        endpoint.init(ours.get());
        peer.connect(endpoint);
        CHECK_EQUAL(SSL_shutdown(peer.ssl.get()), 0);
        CHECK_EQUAL(endpoint.read(peer.take()), "");
        CHECK_EQUAL(endpoint.end, QDTLS_STATUS_CLOSED);
        CHECK_EQUAL(endpoint.state(), QDTLS_STATE_NOT_STARTED);
        CHECK_EQUAL(endpoint.outbox.size(), 1u);
        peer.receive(endpoint.take());
        CHECK_EQUAL(SSL_shutdown(peer.ssl.get()), 1);
        CHECK(peer.take().empty());
    }
}

CASE(f7_an_answer_ends_there_and_two_closes_cross_quietly)
{
    Pair pair;
    pair.connect();
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    pair.server.read(pair.client.take());
    pair.client.read(pair.server.take());
    CHECK_EQUAL(pair.client.status, QDTLS_STATUS_INVALID_STATE);
    CHECK(pair.client.outbox.empty() && pair.server.outbox.empty());

    pair.client.init(pair.clientTls.get());
    pair.server.init(pair.serverTls.get());
    pair.connect();
    for (Endpoint *side : { &pair.client, &pair.server })
        CHECK_EQUAL(qdtls_connection_shutdown(side->handle), QDTLS_STATUS_OK);
    pair.server.read(pair.client.take());
    pair.client.read(pair.server.take());
    CHECK(pair.client.outbox.empty() && pair.server.outbox.empty());
}

// Programs hand what arrives to the handshake when there is no connection.
CASE(f7_the_answer_starts_no_handshake)
{
    Pair pair;
    for (Endpoint *closing : { &pair.client, &pair.server }) {
        Endpoint &other = closing == &pair.client ? pair.server : pair.client;
        const ContextPtr &context = closing == &pair.client ? pair.clientTls : pair.serverTls;
        pair.connect();
        CHECK_EQUAL(qdtls_connection_shutdown(closing->handle), QDTLS_STATUS_OK);
        other.read(closing->take());
        const Bytes answer = other.take();
        CHECK_EQUAL(closing->start(answer), QDTLS_STATUS_INVALID_STATE);
        closing->init(context.get());
        CHECK_EQUAL(closing->start(answer), QDTLS_STATUS_OK);
        CHECK_EQUAL(closing->state(), QDTLS_STATE_NOT_STARTED);
        CHECK(closing->outbox.empty() && !closing->timeout());
        pair.client.init(pair.clientTls.get());
        pair.server.init(pair.serverTls.get());
    }
    pair.connect();
    pair.checkMessages();
}

// The program may start again inside the call that sends the answer.
CASE(f7_a_new_handshake_inside_the_answer_stays)
{
    Pair pair;
    pair.connect();
    pair.server.onSend = [&pair](const Bytes &) {
        pair.server.init(pair.serverTls.get());
        return QDTLS_SEND_RESULT_SENT;
    };
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    pair.server.read(pair.client.take());
    pair.server.onSend = nullptr;
    CHECK_EQUAL(pair.server.end, QDTLS_STATUS_CLOSED);
    pair.client.init(pair.clientTls.get());
    pair.connect();
    pair.checkMessages();
}

// What the network may bring to an established connection: with every kind of cipher but CBC with
// encrypt-then-MAC (SECURITY.md), a record that is not authentic is dropped.
CASE(s8_forged_records_do_not_end_a_connection)
{
    for (const char *cipher : { "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
                                "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
                                "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384",
                                "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0" }) {
        Pair pair;
        for (Endpoint *side : { &pair.client, &pair.server }) {
            CHECK_EQUAL(SSL_set_cipher_list(side->ssl, cipher), 1);
            SSL_set_options(side->ssl, SSL_OP_NO_ENCRYPT_THEN_MAC);
        }
        pair.connect();
        for (const std::uint8_t content : { 20, 21, 22, 23, 99 }) {
            for (const std::size_t length :
                 { 0, 1, 2, 8, 15, 16, 17, 19, 20, 24, 25, 32, 47, 48, 49, 64, 80, 1000, 16384 }) {
                const Bytes forged = recordOf(content, 1, Bytes(length, 0x55));
                for (Endpoint *side : { &pair.client, &pair.server }) {
                    CHECK_EQUAL(side->read(forged), "");
                    CHECK_EQUAL(side->status, QDTLS_STATUS_OK);
                    CHECK_EQUAL(side->end, QDTLS_STATUS_OK);
                }
            }
        }
        pair.checkMessages();
    }
}

// The same before there are keys: OpenSSL keeps such records, and judges them when it has the keys.
CASE(s8_forged_records_of_the_next_epoch_do_not_end_a_handshake)
{
    for (const char *cipher : { "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
                                "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0" }) {
        Pair pair;
        for (Endpoint *side : { &pair.client, &pair.server })
            CHECK_EQUAL(SSL_set_cipher_list(side->ssl, cipher), 1);
        std::uint8_t number = 0;
        const auto disturb = [&number](Endpoint &side) {
            for (const std::uint8_t content : { 21, 22, 23 }) {
                for (const std::size_t length : { 0, 1, 8, 15, 16, 23, 24, 40 }) {
                    Bytes forged = recordOf(content, 1, Bytes(length, 0x55));
                    forged[10] = std::uint8_t(100 + number++ % 100);
                    CHECK_EQUAL(side.proceed(forged), QDTLS_STATUS_OK);
                }
            }
        };
        CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
        disturb(pair.client);
        CHECK(!pair.listener.verify(pair.client.take()));
        CHECK_EQUAL(pair.client.proceed(pair.listener.outbox.front()), QDTLS_STATUS_OK);
        pair.listener.outbox.clear();
        CHECK_EQUAL(pair.server.start(pair.client.take()), QDTLS_STATUS_OK);
        disturb(pair.server);
        pair.deliver();
        pair.checkMessages();
    }
}

CASE(a_message_before_the_close_is_read)
{
    Pair pair;
    pair.connect();
    CHECK_EQUAL(pair.client.write("farewell"), QDTLS_STATUS_OK);
    Bytes datagram = pair.client.take();
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    const Bytes close = pair.client.take();
    datagram.insert(datagram.end(), close.begin(), close.end());
    CHECK_EQUAL(pair.server.read(datagram), "farewell");
    CHECK_EQUAL(pair.server.end, QDTLS_STATUS_CLOSED);
}

CASE(a_refusing_server_alerts_the_client)
{
    Pair pair;
    CHECK_EQUAL(SSL_set_cipher_list(pair.server.ssl, "ECDHE-RSA-AES128-GCM-SHA256"), 1);
    const Bytes hello = pair.verifiedHello();
    CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_HANDSHAKE_FAILED);
    const qdtls_error error = pair.server.lastError();
    CHECK_EQUAL(error.category, QDTLS_CATEGORY_TLS_FATAL);
    CHECK(error.openssl_code != 0);
    CHECK(std::string(error.reason).find("no shared cipher") != std::string::npos);
    CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);

    CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_ALERT_RECEIVED);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
    CHECK_EQUAL(pair.client.lastError().category, QDTLS_CATEGORY_TLS_FATAL);
}

CASE(s8_an_unauthenticated_alert_ends_a_handshake_unless_strict)
{
    for (const bool strict : { false, true }) {
        const ScopedSetting setting(QDTLS_SETTING_STRICT_ALERTS, strict ? 1 : 0);
        Pair pair;
        CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.client.proceed(forgedAlert()),
                    strict ? QDTLS_STATUS_OK : QDTLS_STATUS_ALERT_RECEIVED);
        CHECK_EQUAL(pair.client.state(),
                    strict ? QDTLS_STATE_IN_PROGRESS : QDTLS_STATE_NOT_STARTED);
        if (strict) {
            pair.deliver();
            pair.checkMessages();
        }
    }
}

CASE(s8_junk_does_not_disturb_a_handshake)
{
    const Bytes junk[] = { bytesOf("x"),
                           bytesOf("this is no record of any kind"),
                           forgedRecord(20, { 2 }),
                           forgedRecord(22, { 20, 0, 0, 0 }),
                           forgedRecord(23, { 1, 2, 3 }),
                           forgedRecord(99, { 1 }) };
    Pair pair;
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_OK);
    for (const Bytes &datagram : junk) {
        CHECK_EQUAL(pair.client.proceed(datagram), QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.client.need, QDTLS_NEED_DATAGRAM);
        CHECK_EQUAL(pair.server.proceed(datagram), QDTLS_STATUS_OK);
    }
    pair.deliver();
    pair.checkMessages();
}

CASE(junk_does_not_disturb_a_connection)
{
    Pair pair;
    pair.connect();
    for (const Bytes &datagram :
         { Bytes(), bytesOf("x"), forgedAlert(), forgedRecord(23, { 1 }) }) {
        CHECK_EQUAL(pair.server.read(datagram), "");
        CHECK_EQUAL(pair.server.status, QDTLS_STATUS_OK);
        CHECK_EQUAL(pair.server.end, QDTLS_STATUS_OK);
    }
    pair.checkMessages();
}

CASE(abort_ends_a_handshake_in_silence)
{
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    pair.client.outbox.clear();
    CHECK_EQUAL(qdtls_connection_abort(pair.client.handle), QDTLS_STATUS_OK);
    CHECK(pair.client.outbox.empty());
    CHECK(!pair.client.timeout());
    CHECK_EQUAL(qdtls_connection_abort(pair.client.handle), QDTLS_STATUS_INVALID_STATE);
    pair.client.init(pair.clientTls.get());
    pair.connect();
}

CASE(a_handshake_in_progress_refuses_what_is_out_of_place)
{
    Pair pair;
    const qdtls_address other = ipv4(99);
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_INVALID_STATE);
    CHECK_EQUAL(qdtls_connection_set_peer(pair.client.handle, &other), QDTLS_STATUS_INVALID_STATE);
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 1), QDTLS_STATUS_INVALID_STATE);
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_INVALID_STATE);
    CHECK_EQUAL(qdtls_connection_init_tls(pair.client.handle, SSL_new(pair.clientTls.get()),
                                          nullptr, nullptr),
                QDTLS_STATUS_INVALID_STATE);
    pair.deliver();
    pair.checkMessages();
    CHECK_EQUAL(pair.client.proceed({}), QDTLS_STATUS_INVALID_STATE);
    CHECK_EQUAL(qdtls_connection_abort(pair.client.handle), QDTLS_STATUS_INVALID_STATE);
}
