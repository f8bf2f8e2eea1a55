/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* inspect PORT NAME: shakes hands with the server on the loopback interface, and prints what was
 * negotiated, keys for two other protocols, and how the connection went. It verifies nothing.
 * inspect PORT CERTIFICATE KEY: the same as a server, of one client. */
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

static int32_t prepare(void *user, qdtls_connection *peer)
{
    (void)user;
    return qdtls_connection_set_srtp(peer, srtp_profiles, 2);
}

static void print_keys(qdtls_connection *peer)
{
    uint8_t keys[20];
    qdtls_srtp_keys srtp = { .size = sizeof srtp };
    if (!qdtls_connection_export(peer, (const uint8_t *)label, strlen(label), NULL, 0, keys,
                                 sizeof keys))
        print_hex("Keying material", keys, sizeof keys);
    qdtls_connection_srtp(peer, &srtp);
    printf("SRTP profile: %u\n", srtp.profile);
    print_hex("SRTP client key", srtp.client_key, srtp.key_length);
    qdtls_wipe(keys, sizeof keys);
    qdtls_wipe((uint8_t *)&srtp, sizeof srtp);
}

static void connected(void *user, qdtls_connection *peer)
{
    qdtls_parameters parameters = { .size = sizeof parameters };
    qdtls_connection_parameters(peer, &parameters);
    printf("cipher: %04x\n", parameters.cipher);
    printf("group: %s\n", OBJ_nid2sn(parameters.group));
    printf("signature: %s, %s\n", OBJ_nid2sn(parameters.peer_signature_key),
           OBJ_nid2sn(parameters.peer_signature_digest));
    printf("extended master secret: %s\n", parameters.extended_master_secret ? "yes" : "no");
    print_keys(peer);
    printf("connected\n");
    fflush(stdout);
    (void)user;
}

static void ended(void *user, qdtls_connection *peer, int32_t status)
{
    qdtls_connection_counters counters = { .size = sizeof counters };
    int32_t sent = -1, received = -1;
    qdtls_connection_alerts(peer, &sent, &received);
    qdtls_connection_statistics(peer, &counters);
    printf("status: %d\nalert sent: %d\nalert received: %d\n", status, sent, received);
    printf("datagrams: %llu out, %llu in\n", (unsigned long long)counters.datagrams_sent,
           (unsigned long long)counters.datagrams_received);
    *(int *)user = 1;
}

static int32_t judge(void *user, qdtls_connection *peer)
{
    (void)user;
    (void)peer;
    return 1;
}

static int connect_to(qdtls_endpoint *endpoint, uint16_t port, const char *name)
{
    qdtls_address server = { .family = 4, .port = port, .bytes = { 127, 0, 0, 1 } };
    SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
    qdtls_connection *connection = NULL;
    int status = 0;

    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, q_X509DtlsCallback);
    status = qdtls_context_prepare(context)
        || qdtls_endpoint_connect(endpoint, context, &server, (const uint8_t *)name, strlen(name),
                                  &connection);
    SSL_CTX_free(context);
    return status;
}

static int serve(qdtls_endpoint *endpoint, const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
    const int status = SSL_CTX_use_certificate_chain_file(context, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1
        || qdtls_context_prepare(context) || qdtls_endpoint_listen(endpoint, context, NULL);
    SSL_CTX_free(context);
    printf("ready\n");
    fflush(stdout);
    return status;
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
    struct sockaddr_in own = { .sin_family = AF_INET };
    struct pollfd readable = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN };
    qdtls_endpoint *endpoint = NULL;
    uint16_t port = 0;

    if (argc != 3 && argc != 4)
        return 2;
    port = (uint16_t)atoi(argv[1]);
    own.sin_port = argc == 4 ? htons(port) : 0;
    if (bind(readable.fd, (struct sockaddr *)&own, sizeof own)
        || qdtls_endpoint_new(readable.fd, &callbacks, &endpoint)
        || (argc == 4 ? serve(endpoint, argv[2], argv[3]) : connect_to(endpoint, port, argv[2])))
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
    return !is_over;
}
