// SPDX-License-Identifier: MIT OR Apache-2.0
// R6: the callbacks under Qt's names, called with foreign objects and with null.
#include "cases.h"
#include "pair.h"

#include <openssl/x509_vfy.h>

#include <utility>

using namespace harness;

namespace {

struct FreeStoreContext {
    void operator()(X509_STORE_CTX *context) const { X509_STORE_CTX_free(context); }
};

struct Foreign {
    ContextPtr context = clientContext();
    SslPtr ssl { SSL_new(context.get()) };
    BioPtr bio { BIO_new(BIO_s_mem()) };
    std::unique_ptr<X509_STORE_CTX, FreeStoreContext> store { X509_STORE_CTX_new() };
};

// Outputs of callbacks, which must stay as they are.
struct Outputs {
    unsigned char bytes[256] = { 0x5a };
    unsigned int length = 77;

    bool untouched() const { return bytes[0] == 0x5a && bytes[1] == 0 && length == 77; }
    char *text() { return reinterpret_cast<char *>(bytes); }
};

} // namespace

CASE(r6_cookie_callbacks_check_their_arguments)
{
    Foreign foreign;
    Endpoint server(QDTLS_ROLE_SERVER);
    server.init(foreign.context.get());
    Outputs out;
    for (SSL *ssl : { static_cast<SSL *>(nullptr), foreign.ssl.get(), server.ssl }) {
        CHECK_EQUAL(q_generate_cookie_callback(ssl, out.bytes, &out.length), 0);
        CHECK_EQUAL(q_generate_cookie_callback(ssl, nullptr, &out.length), 0);
        CHECK_EQUAL(q_generate_cookie_callback(ssl, out.bytes, nullptr), 0);
        CHECK_EQUAL(q_verify_cookie_callback(ssl, out.bytes, 32), 0);
        CHECK_EQUAL(q_verify_cookie_callback(ssl, nullptr, 32), 0);
        CHECK_EQUAL(q_verify_cookie_callback(ssl, out.bytes, 0), 0);
        CHECK_EQUAL(q_verify_cookie_callback(ssl, out.bytes, 256), 0);
        CHECK_EQUAL(q_verify_cookie_callback(ssl, out.bytes, ~0u), 0);
    }
    CHECK(out.untouched());
}

CASE(r6_the_verification_callback_checks_its_argument)
{
    Foreign foreign;
    CHECK_EQUAL(q_X509DtlsCallback(0, nullptr), 0);
    CHECK_EQUAL(q_X509DtlsCallback(0, foreign.store.get()), 0);
    CHECK_EQUAL(q_X509DtlsCallback(1, nullptr), 1);
}

CASE(r6_psk_callbacks_check_their_arguments)
{
    Foreign foreign;
    Endpoint client(QDTLS_ROLE_CLIENT);
    client.init(foreign.context.get());
    Outputs out;
    for (SSL *ssl : { static_cast<SSL *>(nullptr), foreign.ssl.get(), client.ssl }) {
        CHECK_EQUAL(q_PSK_client_callback(ssl, nullptr, nullptr, 100, out.bytes, 100), 0u);
        CHECK_EQUAL(q_PSK_client_callback(ssl, nullptr, out.text(), 100, nullptr, 100), 0u);
        CHECK_EQUAL(q_PSK_client_callback(ssl, "hint", out.text(), 100, out.bytes, 100), 0u);
        CHECK_EQUAL(q_PSK_server_callback(ssl, nullptr, nullptr, 100), 0u);
        CHECK_EQUAL(q_PSK_server_callback(ssl, "client", out.bytes, 100), 0u);
    }
    CHECK(out.untouched());
}

CASE(s5_psk_callbacks_keep_to_the_capacities_they_are_given)
{
    auto pair = Pair::psk();
    std::vector<unsigned int> lengths;
    pair->client.onPsk = [&, nested = false](const qdtls_psk_request &,
                                             qdtls_psk_reply *reply) mutable {
        const Bytes key = bytesOf("12345678");
        const Bytes name = bytesOf("name");
        qdtls_psk_reply_set(reply, name.data(), name.size(), key.data(), key.size());
        if (std::exchange(nested, true))
            return;
        const auto ask = [&](unsigned int identity, unsigned int capacity) {
            Outputs names;
            Outputs keys;
            lengths.push_back(q_PSK_client_callback(pair->client.ssl, nullptr, names.text(),
                                                    identity, keys.bytes, capacity));
        };
        ask(5, 8);
        ask(4, 8);
        ask(5, 7);
        ask(0, 0);
    };
    CHECK_EQUAL(pair->server.start(pair->verifiedHello()), QDTLS_STATUS_OK);
    while (!pair->server.outbox.empty() && lengths.empty())
        pair->client.proceed(pair->server.take());
    const std::vector<unsigned int> expected { 8, 0, 0, 0 };
    CHECK(lengths == expected);
}

CASE(callbacks_refuse_outside_an_operation)
{
    Foreign foreign;
    Endpoint client(QDTLS_ROLE_CLIENT);
    client.init(foreign.context.get());
    answerWithPsk(client, bytesOf("12345678"), "name");
    Outputs out;
    CHECK_EQUAL(q_PSK_client_callback(client.ssl, nullptr, out.text(), 100, out.bytes, 100), 0u);
    CHECK_EQUAL(q_PSK_server_callback(client.ssl, "name", out.bytes, 100), 0u);
    CHECK_EQUAL(q_verify_cookie_callback(client.ssl, out.bytes, 32), 0);
    CHECK(out.untouched());
}

CASE(r6_the_datagram_bio_checks_its_arguments)
{
    Foreign foreign;
    Outputs out;
    for (BIO *bio : { static_cast<BIO *>(nullptr), foreign.bio.get() }) {
        CHECK_EQUAL(q_dgram_read(bio, out.text(), 100), -1);
        CHECK_EQUAL(q_dgram_write(bio, "text", 4), -1);
        CHECK_EQUAL(q_dgram_puts(bio, "text"), -1);
        CHECK_EQUAL(q_dgram_puts(bio, nullptr), -1);
        CHECK_EQUAL(q_dgram_ctrl(bio, BIO_CTRL_FLUSH, 0, nullptr), 0);
    }
    CHECK_EQUAL(q_dgram_create(nullptr), 0);
    CHECK_EQUAL(q_dgram_destroy(nullptr), 0);
    CHECK(out.untouched());
    CHECK_EQUAL(BIO_ctrl_pending(foreign.bio.get()), 0u);
}

CASE(our_datagram_bio_waits_outside_an_operation)
{
    Foreign foreign;
    Endpoint client(QDTLS_ROLE_CLIENT);
    client.init(foreign.context.get());
    BIO *bio = SSL_get_rbio(client.ssl);
    Outputs out;
    for (const int capacity : { 100, 0, -1 })
        CHECK_EQUAL(q_dgram_read(bio, out.text(), capacity), -1);
    CHECK_EQUAL(q_dgram_read(bio, nullptr, 100), -1);
    CHECK_EQUAL(q_dgram_read(bio, out.text(), 100), -1);
    CHECK(BIO_should_read(bio));
    CHECK(out.untouched());

    for (const int length : { 4, 0, -1 })
        CHECK_EQUAL(q_dgram_write(bio, "text", length), -1);
    CHECK_EQUAL(q_dgram_write(bio, nullptr, 4), -1);
    CHECK_EQUAL(q_dgram_puts(bio, nullptr), -1);
    CHECK_EQUAL(q_dgram_puts(bio, "puts"), -1);
    CHECK(BIO_should_write(bio));
    CHECK(client.outbox.empty());

    CHECK_EQUAL(q_dgram_ctrl(bio, BIO_CTRL_FLUSH, 0, nullptr), 1);
    CHECK_EQUAL(q_dgram_ctrl(bio, BIO_CTRL_DGRAM_GET_FALLBACK_MTU, 0, nullptr), 32768);
    CHECK_EQUAL(q_dgram_ctrl(bio, 12345, 0, nullptr), 0);
}

CASE(our_datagram_bio_sends_within_an_operation)
{
    const ContextPtr context = clientContext();
    Endpoint client(QDTLS_ROLE_CLIENT);
    client.init(context.get());
    BIO *bio = SSL_get_rbio(client.ssl);
    // A warning alert; behind each record of epoch 0 the library writes its own number.
    const Bytes alert { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 90 };
    const auto *bytes = reinterpret_cast<const char *>(alert.data());
    std::vector<long> results;
    client.onSend = [&, nested = false](const Bytes &datagram) mutable {
        client.outbox.push_back(datagram);
        if (!std::exchange(nested, true)) {
            results = { q_dgram_write(bio, bytes, int(alert.size())),
                        q_dgram_puts(bio, "no record") };
        }
        return QDTLS_SEND_RESULT_SENT;
    };
    CHECK_EQUAL(client.start(), QDTLS_STATUS_OK);
    const std::vector<long> expected { 15, 9 };
    CHECK(results == expected);
    client.take();
    CHECK(client.take() == alert);
    CHECK(client.outbox.empty());
}
