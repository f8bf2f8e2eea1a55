/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* two_names PORT CERTIFICATE KEY NAME CERTIFICATE KEY: a server on the loopback interface that
 * shows clients which ask for NAME another certificate than the rest. It sends nothing. */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <qdtls_rs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct server {
    const char *other_name;
    SSL_CTX *other;
};

static int32_t server_name(void *user, const uint8_t *name, size_t length, SSL_CTX **context)
{
    const struct server *server = user;
    if (length == strlen(server->other_name) && memcmp(name, server->other_name, length) == 0)
        *context = server->other;
    return 0;
}

static SSL_CTX *context_with(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
    const int usable = SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM) == 1
        && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1
        && qdtls_context_prepare(context) == QDTLS_STATUS_OK;
    return usable ? context : NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct pollfd readable = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN };
    struct server server;
    const qdtls_endpoint_callbacks callbacks = { .size = sizeof callbacks,
                                                 .user = &server,
                                                 .server_name = server_name };
    qdtls_endpoint *endpoint = NULL;

    if (argc != 7)
        return 2;
    own.sin_port = htons((uint16_t)atoi(argv[1]));
    SSL_CTX *first = context_with(argv[2], argv[3]);
    server.other_name = argv[4];
    server.other = context_with(argv[5], argv[6]);
    if (!first || !server.other || qdtls_context_select_by_name(first)
        || bind(readable.fd, (struct sockaddr *)&own, sizeof own) != 0
        || qdtls_endpoint_new(readable.fd, &callbacks, &endpoint)
        || qdtls_endpoint_listen(endpoint, first, NULL))
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
