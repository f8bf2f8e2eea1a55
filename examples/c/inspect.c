/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* inspect PORT NAME: shakes hands with the server on the loopback interface, and prints what was
 * negotiated, keys for two other protocols, and how the connection went. It verifies nothing. */
#include <netinet/in.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <qdtls_rs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const uint16_t srtp_profiles[] = { 7, 1 };
static const char label[] = "EXPERIMENTAL-inspect";

static void print_hex(const char *what, const uint8_t *bytes, size_t length)
{
    printf("%s: ", what);
    for (size_t i = 0; i < length; ++i)
        printf("%02X", bytes[i]);
    printf("\n");
}

static int32_t prepare(void *user, qdtls_connection *server)
{
    (void)user;
    return qdtls_connection_set_srtp(server, srtp_profiles, 2);
}

static void print_keys(qdtls_connection *server)
{
    uint8_t keys[20];
    qdtls_srtp_keys srtp = { .size = sizeof srtp };
    if (!qdtls_connection_export(server, (const uint8_t *)label, strlen(label), NULL, 0, keys,
                                 sizeof keys))
        print_hex("Keying material", keys, sizeof keys);
    qdtls_connection_srtp(server, &srtp);
    printf("SRTP profile: %u\n", srtp.profile);
    print_hex("SRTP client key", srtp.client_key, srtp.key_length);
    qdtls_wipe(keys, sizeof keys);
    qdtls_wipe((uint8_t *)&srtp, sizeof srtp);
}

static void connected(void *user, qdtls_connection *server)
{
    qdtls_parameters parameters = { .size = sizeof parameters };
    qdtls_connection_parameters(server, &parameters);
    printf("cipher: %04x\n", parameters.cipher);
    printf("group: %s\n", OBJ_nid2sn(parameters.group));
    printf("signature: %s, %s\n", OBJ_nid2sn(parameters.peer_signature_key),
           OBJ_nid2sn(parameters.peer_signature_digest));
    printf("extended master secret: %s\n", parameters.extended_master_secret ? "yes" : "no");
    print_keys(server);
    printf("connected\n");
    fflush(stdout);
    (void)user;
}

static void ended(void *user, qdtls_connection *server, int32_t status)
{
    qdtls_connection_counters counters = { .size = sizeof counters };
    int32_t sent = -1, received = -1;
    qdtls_connection_alerts(server, &sent, &received);
    qdtls_connection_statistics(server, &counters);
    printf("status: %d\nalert sent: %d\nalert received: %d\n", status, sent, received);
    printf("datagrams: %llu out, %llu in\n", (unsigned long long)counters.datagrams_sent,
           (unsigned long long)counters.datagrams_received);
    *(int *)user = 1;
}

static int32_t judge(void *user, qdtls_connection *server)
{
    (void)user;
    (void)server;
    return 1;
}

int main(int argc, char **argv)
{
    int is_over = 0;
    const qdtls_endpoint_callbacks callbacks = { .size = sizeof callbacks,
                                                 .user = &is_over,
                                                 .prepare = prepare,
                                                 .judge = judge,
                                                 .connected = connected,
                                                 .ended = ended };
    qdtls_address server = { .family = 4, .bytes = { 127, 0, 0, 1 } };
    struct pollfd readable = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN };
    SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
    qdtls_endpoint *endpoint = NULL;
    qdtls_connection *connection = NULL;

    if (argc != 3)
        return 2;
    server.port = (uint16_t)atoi(argv[1]);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, q_X509DtlsCallback);
    if (qdtls_context_prepare(context) || qdtls_endpoint_new(readable.fd, &callbacks, &endpoint)
        || qdtls_endpoint_connect(endpoint, context, &server, (const uint8_t *)argv[2],
                                  strlen(argv[2]), &connection))
        return 1;
    while (!is_over) {
        bool running = false;
        uint64_t left_us = 0;
        qdtls_endpoint_timeout(endpoint, &running, &left_us);
        poll(&readable, 1, running ? (int)(left_us / 1000) + 1 : -1);
        if (qdtls_endpoint_process(endpoint, NULL))
            break;
    }
    qdtls_endpoint_free(endpoint);
    SSL_CTX_free(context);
    return !is_over;
}
