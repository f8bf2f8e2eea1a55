/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A DTLS peer on wolfSSL: echoes what it receives, and closes when it is asked to. */
#include "common.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct options options;

static void check(bool is_right, const char *what)
{
    if (is_right)
        return;
    say("failed %s", what);
    exit(1);
}

static unsigned int client_psk(WOLFSSL *ssl, const char *hint, char *identity, unsigned int limit,
                               unsigned char *key, unsigned int key_limit)
{
    (void)ssl;
    (void)hint;
    if (strlen(options.identity) >= limit || options.psk_size > key_limit)
        return 0;
    strcpy(identity, options.identity);
    memcpy(key, options.psk, options.psk_size);
    return (unsigned int)options.psk_size;
}

static unsigned int server_psk(WOLFSSL *ssl, const char *identity, unsigned char *key,
                               unsigned int limit)
{
    (void)ssl;
    if (strcmp(identity, options.identity) != 0 || options.psk_size > limit)
        return 0;
    memcpy(key, options.psk, options.psk_size);
    return (unsigned int)options.psk_size;
}

static WOLFSSL_CTX *new_context(void)
{
    WOLFSSL_CTX *context = wolfSSL_CTX_new(options.server ? wolfDTLSv1_2_server_method()
                                                          : wolfDTLSv1_2_client_method());
    const int good = WOLFSSL_SUCCESS;
    check(context != NULL, "context");
    check(wolfSSL_CTX_load_verify_locations(context, options.ca, NULL) == good, "authority");
    if (options.cert) {
        check(wolfSSL_CTX_use_certificate_chain_file(context, options.cert) == good, "certificate");
        check(wolfSSL_CTX_use_PrivateKey_file(context, options.key, WOLFSSL_FILETYPE_PEM) == good,
              "key");
    }
    if (options.psk_size && options.server)
        wolfSSL_CTX_set_psk_server_callback(context, server_psk);
    else if (options.psk_size)
        wolfSSL_CTX_set_psk_client_callback(context, client_psk);
    if (options.suite)
        check(wolfSSL_CTX_set_cipher_list(context, options.suite) == good, "suite");
    const bool verifies = options.server ? options.demand : !options.psk_size;
    wolfSSL_CTX_set_verify(context,
                           verifies ? WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                    : WOLFSSL_VERIFY_NONE,
                           NULL);
    if (options.resume && !options.server)
        check(wolfSSL_CTX_UseSessionTicket(context) == good, "ticket");
    return context;
}

static WOLFSSL *new_connection(WOLFSSL_CTX *context, int fd)
{
    WOLFSSL *ssl = wolfSSL_new(context);
    check(ssl != NULL, "connection");
    check(wolfSSL_set_fd(ssl, fd) == WOLFSSL_SUCCESS, "socket");
    check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "socket");
    wolfSSL_dtls_set_using_nonblock(ssl, 1);
    /* Otherwise what it sends after a receive that failed is an invalid argument. */
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    check(getpeername(fd, (struct sockaddr *)&peer, &size) == 0, "socket");
    check(wolfSSL_dtls_set_peer(ssl, &peer, size) == WOLFSSL_SUCCESS, "peer");
    if (!options.server && !options.psk_size)
        check(wolfSSL_check_domain_name(ssl, "localhost") == WOLFSSL_SUCCESS, "name");
    if (options.alpn) {
        char protocols[50];
        strncpy(protocols, options.alpn, sizeof protocols - 1);
        protocols[sizeof protocols - 1] = '\0';
        check(wolfSSL_UseALPN(ssl, protocols, (unsigned int)strlen(protocols),
                              WOLFSSL_ALPN_FAILED_ON_MISMATCH)
                  == WOLFSSL_SUCCESS,
              "alpn");
    }
    return ssl;
}

/* Waits for a datagram, or sends the last flight again. */
static void await(WOLFSSL *ssl, bool is_established)
{
    const int seconds = wolfSSL_dtls_get_current_timeout(ssl);
    if (!wait_readable(wolfSSL_get_fd(ssl), is_established ? -1 : seconds * 1000))
        wolfSSL_dtls_got_timeout(ssl);
}

/* It takes no more at once than its largest datagram. */
static bool write_all(WOLFSSL *ssl, const unsigned char *message, int size)
{
    int written = 0;
    while (written < size) {
        const int result = wolfSSL_write(ssl, message + written, size - written);
        if (result <= 0)
            return false;
        written += result;
    }
    return true;
}

/* Returns when the connection is over. */
static void echo(WOLFSSL *ssl)
{
    static unsigned char message[1 << 14];
    for (;;) {
        int size = wolfSSL_read(ssl, message, sizeof message);
        if (size > 0 && asks_to_close(message, (size_t)size))
            return;
        if (size > 0 && write_all(ssl, message, size))
            continue;
        int error = wolfSSL_get_error(ssl, size);
        if (error == WOLFSSL_ERROR_ZERO_RETURN)
            say("closed");
        else if (error == WOLFSSL_ERROR_WANT_READ)
            await(ssl, true);
        else
            say("failed %s", wolfSSL_ERR_reason_error_string((unsigned long)error));
        if (error != WOLFSSL_ERROR_WANT_READ)
            return;
    }
}

static void connection(WOLFSSL *ssl, WOLFSSL_SESSION **session)
{
    if (*session)
        check(wolfSSL_set_session(ssl, *session) == WOLFSSL_SUCCESS, "session");
    int result;
    while ((result = options.server ? wolfSSL_accept(ssl) : wolfSSL_connect(ssl))
           != WOLFSSL_SUCCESS) {
        const int error = wolfSSL_get_error(ssl, result);
        if (error != WOLFSSL_ERROR_WANT_READ) {
            say("failed %s", wolfSSL_ERR_reason_error_string((unsigned long)error));
            return;
        }
        await(ssl, false);
    }
    say("handshake %s", wolfSSL_get_cipher(ssl));
    if (options.resume && !options.server)
        *session = wolfSSL_get1_session(ssl);
    echo(ssl);
    wolfSSL_shutdown(ssl);
}

int main(int argc, char **argv)
{
    options = read_options(argc, argv);
    check(wolfSSL_Init() == WOLFSSL_SUCCESS, "library");
    WOLFSSL_CTX *context = new_context();
    WOLFSSL_SESSION *session = NULL;
    const int connections = options.resume ? 2 : 1;
    for (int count = 0; options.server || count < connections; ++count) {
        int fd = open_socket(&options);
        say("ready");
        if (options.server)
            await_client(fd);
        WOLFSSL *ssl = new_connection(context, fd);
        connection(ssl, &session);
        wolfSSL_free(ssl);
        close(fd);
    }
    return 0;
}
