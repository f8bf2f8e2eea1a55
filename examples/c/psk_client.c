/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* psk_client PORT IDENTITY KEY TEXT: sends a text to the server on the loopback interface, with
 * which it shares a key, and prints the answer. */
#include <openssl/ssl.h>
#include <poll.h>
#include <qdtls_rs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BYTES(text) (const uint8_t *)(text), strlen(text)

static void psk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply)
{
    char **argv = user;
    (void)request;
    qdtls_psk_reply_set(reply, BYTES(argv[2]), BYTES(argv[3]));
}

static void connected(void *user, qdtls_connection *server)
{
    char **argv = user;
    size_t written;
    qdtls_connection_write(server, BYTES(argv[4]), &written);
}

static void received(void *user, qdtls_connection *server, const uint8_t *message, size_t length)
{
    (void)user, (void)server;
    printf("%.*s\n", (int)length, (const char *)message);
}

int main(int argc, char **argv)
{
    const qdtls_endpoint_callbacks callbacks = { .size = sizeof callbacks,
                                                 .user = argv,
                                                 .received = received,
                                                 .connected = connected,
                                                 .psk = psk };
    qdtls_address server = { .family = 4, .bytes = { 127, 0, 0, 1 } };
    struct pollfd readable = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN };
    SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
    qdtls_endpoint *endpoint = NULL;
    qdtls_connection *connection = NULL;
    uint64_t left_us = 0;
    bool running = argc == 5;
    server.port = (uint16_t)(running ? atoi(argv[1]) : 0);
    if (qdtls_context_prepare(context) || qdtls_endpoint_new(readable.fd, &callbacks, &endpoint)
        || qdtls_endpoint_connect(endpoint, context, &server, NULL, 0, &connection))
        return 1;
    /* Until a second has passed without anything. */
    while (poll(&readable, 1, running ? (int)(left_us / 1000) + 1 : 1000) > 0 || running) {
        if (qdtls_endpoint_process(endpoint, NULL))
            return 1;
        qdtls_endpoint_timeout(endpoint, &running, &left_us);
    }
    qdtls_endpoint_free(endpoint);
    return 0;
}
