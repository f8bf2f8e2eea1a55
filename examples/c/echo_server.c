/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* echo_server PORT CERTIFICATE KEY: sends each message back, on the loopback interface, to any
 * number of clients. */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <qdtls_rs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void received(void *user, qdtls_connection *client, const uint8_t *message, size_t length)
{
    size_t written;
    (void)user;
    qdtls_connection_write(client, message, length, &written);
}

static void ended(void *user, qdtls_connection *client, int32_t status)
{
    qdtls_error error = { .size = sizeof error };
    (void)user;
    qdtls_connection_last_error(client, &error);
    if (status != QDTLS_STATUS_CLOSED)
        fprintf(stderr, "%s: %s\n", error.operation, error.reason);
}

int main(int argc, char **argv)
{
    const qdtls_endpoint_callbacks callbacks = { .size = sizeof callbacks,
                                                 .received = received,
                                                 .ended = ended };
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct pollfd readable = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN };
    SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
    qdtls_endpoint *endpoint = NULL;

    if (argc != 4)
        return 2;
    own.sin_port = htons((uint16_t)atoi(argv[1]));
    if (bind(readable.fd, (struct sockaddr *)&own, sizeof own) != 0
        || SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1
        || SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1
        || qdtls_context_prepare(context) || qdtls_endpoint_new(readable.fd, &callbacks, &endpoint)
        || qdtls_endpoint_listen(endpoint, context, NULL))
        return 1;
    for (;;) {
        bool running = false;
        uint64_t left_us = 0;
        qdtls_endpoint_timeout(endpoint, &running, &left_us);
        poll(&readable, 1, running ? (int)(left_us / 1000) + 1 : -1);
        if (qdtls_endpoint_process(endpoint, NULL))
            return 1;
    }
}
