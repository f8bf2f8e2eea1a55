/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* echo_client PORT CA NAME TEXT: sends a text to the server on the loopback interface, whose
 * certificate must have the name and be issued by the CA, and prints the answer. */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <qdtls_rs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct client {
    const char *text;
    int result; /* of the program; -1 while it is not known */
};

static void connected(void *user, qdtls_connection *server)
{
    const struct client *client = user;
    size_t written;
    qdtls_connection_write(server, (const uint8_t *)client->text, strlen(client->text), &written);
}

static void received(void *user, qdtls_connection *server, const uint8_t *message, size_t length)
{
    struct client *client = user;
    (void)server;
    printf("%.*s\n", (int)length, (const char *)message);
    client->result = 0;
}

static void ended(void *user, qdtls_connection *server, int32_t status)
{
    struct client *client = user;
    qdtls_error error = { .size = sizeof error };
    (void)status;
    qdtls_connection_last_error(server, &error);
    fprintf(stderr, "%s: %s\n", error.operation, error.reason);
    client->result = 1;
}

int main(int argc, char **argv)
{
    struct client client = { .text = argc == 5 ? argv[4] : "", .result = -1 };
    const qdtls_endpoint_callbacks callbacks = { .size = sizeof callbacks,
                                                 .user = &client,
                                                 .received = received,
                                                 .connected = connected,
                                                 .ended = ended };
    qdtls_address server = { .family = 4, .bytes = { 127, 0, 0, 1 } };
    struct pollfd readable = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN };
    SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
    qdtls_endpoint *endpoint = NULL;
    qdtls_connection *connection = NULL;

    if (argc != 5)
        return 2;
    server.port = (uint16_t)atoi(argv[1]);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(context, argv[2], NULL) != 1 || qdtls_context_prepare(context)
        || qdtls_endpoint_new(readable.fd, &callbacks, &endpoint)
        || qdtls_endpoint_connect(endpoint, context, &server, (const uint8_t *)argv[3],
                                  strlen(argv[3]), &connection))
        return 1;
    while (client.result < 0) {
        bool running = false;
        uint64_t left_us = 0;
        qdtls_endpoint_timeout(endpoint, &running, &left_us);
        poll(&readable, 1, running ? (int)(left_us / 1000) + 1 : -1);
        if (qdtls_endpoint_process(endpoint, NULL))
            client.result = 1;
    }
    qdtls_endpoint_free(endpoint);
    SSL_CTX_free(context);
    return client.result;
}
