/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A DTLS peer on Mbed TLS 2.28: echoes what it receives, and closes when it is asked to. */
#include "common.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/timing.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct peer {
    struct options options;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_ctr_drbg_context random;
    mbedtls_entropy_context entropy;
    mbedtls_x509_crt ca, cert;
    mbedtls_pk_context key;
    mbedtls_ssl_cookie_ctx cookies;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_timing_delay_context timer;
    mbedtls_net_context net;
    mbedtls_ssl_session session;
    int suites[2];
    const char *protocols[2];
};

static void check(int result, const char *what)
{
    char text[200];
    if (result >= 0)
        return;
    mbedtls_strerror(result, text, sizeof text);
    say("failed %s: %s", what, text);
    exit(1);
}

static void set_identity(struct peer *peer)
{
    const struct options *options = &peer->options;
    mbedtls_x509_crt_init(&peer->ca);
    mbedtls_x509_crt_init(&peer->cert);
    mbedtls_pk_init(&peer->key);
    check(mbedtls_x509_crt_parse_file(&peer->ca, options->ca), options->ca);
    mbedtls_ssl_conf_ca_chain(&peer->config, &peer->ca, NULL);
    if (options->cert) {
        check(mbedtls_x509_crt_parse_file(&peer->cert, options->cert), options->cert);
        check(mbedtls_pk_parse_keyfile(&peer->key, options->key, NULL), options->key);
        check(mbedtls_ssl_conf_own_cert(&peer->config, &peer->cert, &peer->key), "own_cert");
    }
    if (options->psk_size)
        check(mbedtls_ssl_conf_psk(&peer->config, options->psk, options->psk_size,
                                   (const unsigned char *)options->identity,
                                   strlen(options->identity)),
              "psk");
    const bool verifies = options->server ? options->demand : !options->psk_size;
    mbedtls_ssl_conf_authmode(&peer->config,
                              verifies ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
}

static void set_server(struct peer *peer)
{
    mbedtls_ssl_cookie_init(&peer->cookies);
    mbedtls_ssl_ticket_init(&peer->tickets);
    check(mbedtls_ssl_cookie_setup(&peer->cookies, mbedtls_ctr_drbg_random, &peer->random),
          "cookies");
    check(mbedtls_ssl_ticket_setup(&peer->tickets, mbedtls_ctr_drbg_random, &peer->random,
                                   MBEDTLS_CIPHER_AES_256_GCM, 86400),
          "tickets");
    mbedtls_ssl_conf_dtls_cookies(&peer->config, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check,
                                  &peer->cookies);
    mbedtls_ssl_conf_session_tickets_cb(&peer->config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &peer->tickets);
}

static void set_up(struct peer *peer)
{
    const struct options *options = &peer->options;
    const int end = options->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    mbedtls_ssl_init(&peer->ssl);
    mbedtls_ssl_config_init(&peer->config);
    mbedtls_ctr_drbg_init(&peer->random);
    mbedtls_entropy_init(&peer->entropy);
    mbedtls_ssl_session_init(&peer->session);
    check(mbedtls_ctr_drbg_seed(&peer->random, mbedtls_entropy_func, &peer->entropy, NULL, 0),
          "seed");
    check(mbedtls_ssl_config_defaults(&peer->config, end, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                      MBEDTLS_SSL_PRESET_DEFAULT),
          "defaults");
    mbedtls_ssl_conf_rng(&peer->config, mbedtls_ctr_drbg_random, &peer->random);
    set_identity(peer);
    if (options->server)
        set_server(peer);
    if (options->suite) {
        peer->suites[0] = mbedtls_ssl_get_ciphersuite_id(options->suite);
        mbedtls_ssl_conf_ciphersuites(&peer->config, peer->suites);
    }
    if (options->alpn) {
        peer->protocols[0] = options->alpn;
        check(mbedtls_ssl_conf_alpn_protocols(&peer->config, peer->protocols), "alpn");
    }
    if (options->renegotiate)
        mbedtls_ssl_conf_renegotiation(&peer->config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    check(mbedtls_ssl_setup(&peer->ssl, &peer->config), "setup");
    mbedtls_ssl_set_bio(&peer->ssl, &peer->net, mbedtls_net_send, NULL, mbedtls_net_recv_timeout);
    mbedtls_ssl_set_timer_cb(&peer->ssl, &peer->timer, mbedtls_timing_set_delay,
                             mbedtls_timing_get_delay);
    if (!options->server)
        check(mbedtls_ssl_set_hostname(&peer->ssl, "localhost"), "hostname");
}

static int handshake(struct peer *peer)
{
    int result;
    do {
        if (peer->options.server)
            check(mbedtls_ssl_set_client_transport_id(&peer->ssl, (const unsigned char *)"one", 3),
                  "transport id");
        do
            result = mbedtls_ssl_handshake(&peer->ssl);
        while (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE);
        if (result == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED)
            check(mbedtls_ssl_session_reset(&peer->ssl), "reset");
    } while (result == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED);
    return result;
}

/* Sends a HelloRequest, and the same again each time that nothing else has come. */
static int ask_for_renegotiation(struct peer *peer)
{
    unsigned char message[100];
    int result = mbedtls_ssl_renegotiate(&peer->ssl);
    mbedtls_ssl_conf_read_timeout(&peer->config, 300);
    for (int i = 0; result == 0 && i < 4; ++i) {
        int size = mbedtls_ssl_read(&peer->ssl, message, sizeof message);
        if (size != MBEDTLS_ERR_SSL_TIMEOUT && size != MBEDTLS_ERR_SSL_WANT_READ)
            result = size < 0 ? size : MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
    }
    mbedtls_ssl_conf_read_timeout(&peer->config, 0);
    return result;
}

static int echo(struct peer *peer)
{
    unsigned char message[MBEDTLS_SSL_IN_CONTENT_LEN];
    for (;;) {
        int size = mbedtls_ssl_read(&peer->ssl, message, sizeof message);
        if (size == MBEDTLS_ERR_SSL_TIMEOUT || size == MBEDTLS_ERR_SSL_WANT_READ)
            continue;
        if (size <= 0 || asks_to_close(message, (size_t)size))
            return size;
        const int asked = peer->options.renegotiate ? ask_for_renegotiation(peer) : 0;
        if (asked != 0)
            return asked;
        int written = mbedtls_ssl_write(&peer->ssl, message, (size_t)size);
        if (written < 0)
            return written;
    }
}

static void connection(struct peer *peer)
{
    char text[200];
    if (peer->options.server)
        await_client(peer->net.fd);
    int result = handshake(peer);
    if (result == 0) {
        say("handshake %s", mbedtls_ssl_get_ciphersuite(&peer->ssl));
        if (peer->options.resume && !peer->options.server)
            check(mbedtls_ssl_get_session(&peer->ssl, &peer->session), "session");
        do {
            result = echo(peer);
            /* The client restarted on its port. */
        } while (result == MBEDTLS_ERR_SSL_CLIENT_RECONNECT && handshake(peer) == 0);
    }
    mbedtls_strerror(result, text, sizeof text);
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        say("closed");
    else if (result < 0)
        say("failed %s", text);
    mbedtls_ssl_close_notify(&peer->ssl);
}

/* For the next connection. */
static void renew(struct peer *peer)
{
    check(mbedtls_ssl_session_reset(&peer->ssl), "reset");
    if (peer->options.server) {
        forget_client(peer->net.fd);
    } else {
        close(peer->net.fd);
        peer->net.fd = open_socket(&peer->options);
        check(mbedtls_ssl_set_session(&peer->ssl, &peer->session), "session");
    }
}

int main(int argc, char **argv)
{
    static struct peer peer;
    peer.options = read_options(argc, argv);
    peer.net.fd = open_socket(&peer.options);
    set_up(&peer);
    say("ready");
    const int connections = peer.options.resume ? 2 : 1;
    for (int count = 0; peer.options.server || count < connections; ++count) {
        if (count > 0)
            renew(&peer);
        connection(&peer);
    }
    return 0;
}
