/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "handshake.h"

#include <openssl/ssl.h>
#include <qdtls_rs.h>
#include <string.h>

#define CAPACITY 16
#define DATAGRAM_SIZE 2048

/* The datagrams sent, oldest first. */
struct outbox {
    size_t count;
    size_t lengths[CAPACITY];
    uint8_t datagrams[CAPACITY][DATAGRAM_SIZE];
};

struct peer {
    struct outbox outbox;
    qdtls_connection *connection;
    int32_t need;
};

static const qdtls_address loopback = { .family = 4, .port = 5684, .bytes = { 127, 0, 0, 1 } };

static int32_t send_datagram(void *user, const uint8_t *datagram, size_t length)
{
    struct outbox *outbox = user;
    if (outbox->count == CAPACITY || length > DATAGRAM_SIZE)
        return QDTLS_SEND_RESULT_LOST;
    memcpy(outbox->datagrams[outbox->count], datagram, length);
    outbox->lengths[outbox->count++] = length;
    return QDTLS_SEND_RESULT_SENT;
}

static void answer_with_key(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply)
{
    static const uint8_t identity[] = { 'c', 'l', 'i', 'e', 'n', 't' };
    static const uint8_t key[] = { 'o', 'p', 'e', 'n', ' ', 's', 'e', 's', 'a', 'm', 'e' };
    (void)user;
    (void)request;
    qdtls_psk_reply_set(reply, identity, sizeof identity, key, sizeof key);
}

/* The server checks the cookie of the listener again. */
static int expect_cookie(struct peer *server)
{
    qdtls_cookie *cookie = NULL;
    int good =
        !qdtls_cookie_new(&cookie) && !qdtls_connection_set_cookie(server->connection, cookie);
    qdtls_cookie_free(cookie);
    return good;
}

static int make_peer(struct peer *peer, qdtls_role role, SSL_CTX *context)
{
    const qdtls_callbacks callbacks = { .size = sizeof callbacks,
                                        .user = &peer->outbox,
                                        .send = send_datagram,
                                        .psk = answer_with_key };
    SSL *ssl = NULL;
    peer->outbox.count = 0;
    if (qdtls_connection_new(role, &callbacks, &peer->connection)
        || (role == QDTLS_ROLE_SERVER && !expect_cookie(peer)))
        return 0;
    if (qdtls_connection_set_peer(peer->connection, &loopback)
        || qdtls_context_new_ssl(context, &ssl))
        return 0;
    return !qdtls_connection_init_tls(peer->connection, ssl, NULL, NULL);
}

static qdtls_state state_of(const struct peer *peer)
{
    int32_t state = -1;
    qdtls_connection_state(peer->connection, &state);
    return (qdtls_state)state;
}

/* On a slow machine a timer expires, and the last flight comes again. */
static int receive(struct peer *peer, const uint8_t *datagram, size_t length)
{
    if (state_of(peer) == QDTLS_STATE_COMPLETE)
        return 1;
    if (qdtls_connection_continue(peer->connection, datagram, length, &peer->need))
        return 0;
    return peer->need != QDTLS_NEED_VERDICT || !qdtls_connection_judge_peer(peer->connection, 1);
}

static int deliver(struct outbox *outbox, struct peer *to)
{
    const struct outbox flight = *outbox;
    outbox->count = 0;
    for (size_t i = 0; i < flight.count; ++i) {
        if (!receive(to, flight.datagrams[i], flight.lengths[i]))
            return 0;
    }
    return 1;
}

/* Ends with the server's first answer to a client that has shown a cookie. */
static int exchange_cookie(struct peer *client, struct peer *server)
{
    static struct outbox outbox;
    const qdtls_callbacks callbacks = { .size = sizeof callbacks,
                                        .user = &outbox,
                                        .send = send_datagram };
    qdtls_listener *listener = NULL;
    struct outbox *hello = &client->outbox;
    bool verified = true;
    outbox.count = 0;
    int good = !qdtls_listener_new(&callbacks, &listener)
        && !qdtls_connection_start(client->connection, NULL, 0, &client->need)
        && !qdtls_listener_verify(listener, &loopback, hello->datagrams[0], hello->lengths[0],
                                  &verified)
        && !verified;
    hello->count = 0;
    good = good && deliver(&outbox, client)
        && !qdtls_listener_verify(listener, &loopback, hello->datagrams[0], hello->lengths[0],
                                  &verified)
        && verified
        && !qdtls_connection_start(server->connection, hello->datagrams[0], hello->lengths[0],
                                   &server->need);
    hello->count = 0;
    qdtls_listener_free(listener);
    return good;
}

static int finish_handshake(struct peer *client, struct peer *server)
{
    while (client->outbox.count || server->outbox.count) {
        if (!deliver(&server->outbox, client) || !deliver(&client->outbox, server))
            return 0;
    }
    return state_of(client) == QDTLS_STATE_COMPLETE && state_of(server) == QDTLS_STATE_COMPLETE;
}

static int send_message(struct peer *client, struct peer *server)
{
    static const uint8_t message[] = "ping";
    uint8_t received[DATAGRAM_SIZE];
    size_t length = 0;
    int32_t end = QDTLS_STATUS_OK;
    if (qdtls_connection_write(client->connection, message, sizeof message, &length))
        return 0;
    if (qdtls_connection_read(server->connection, client->outbox.datagrams[0],
                              client->outbox.lengths[0], received, sizeof received, &length, &end))
        return 0;
    return length == sizeof message && memcmp(received, message, length) == 0;
}

int shake_hands(void)
{
    static struct peer client, server;
    SSL_CTX *context = SSL_CTX_new(DTLS_method());
    int good = context && !qdtls_context_prepare(context) && SSL_CTX_set_cipher_list(context, "PSK")
        && make_peer(&client, QDTLS_ROLE_CLIENT, context)
        && make_peer(&server, QDTLS_ROLE_SERVER, context) && exchange_cookie(&client, &server)
        && finish_handshake(&client, &server) && send_message(&client, &server);
    qdtls_connection_free(client.connection);
    qdtls_connection_free(server.connection);
    SSL_CTX_free(context);
    return good;
}
