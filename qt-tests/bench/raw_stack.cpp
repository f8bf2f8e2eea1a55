// SPDX-License-Identifier: MIT OR Apache-2.0
#include "raw_stack.h"

#include "fail.h"

#include <openssl/bio.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace bench {

namespace {

uint16_t portOf(SSL *ssl)
{
    return *static_cast<const uint16_t *>(SSL_get_app_data(ssl));
}

// HMAC-SHA-256 of the peer, with a key of the process.
bool cookieFor(SSL *ssl, std::array<uint8_t, 32> &cookie)
{
    static const auto key = [] {
        std::array<uint8_t, 32> bytes;
        RAND_bytes(bytes.data(), int(bytes.size()));
        return bytes;
    }();
    const uint16_t port = portOf(ssl);
    const uint8_t peer[] = { 127, 0, 0, 1, uint8_t(port >> 8), uint8_t(port) };
    unsigned size = 0;
    return HMAC(EVP_sha256(), key.data(), int(key.size()), peer, sizeof peer, cookie.data(), &size)
        && size == cookie.size();
}

int generateCookie(SSL *ssl, uint8_t *cookie, unsigned *size)
{
    std::array<uint8_t, 32> made;
    if (!cookieFor(ssl, made))
        return 0;
    std::copy(made.begin(), made.end(), cookie);
    *size = unsigned(made.size());
    return 1;
}

int verifyCookie(SSL *ssl, const uint8_t *cookie, unsigned size)
{
    std::array<uint8_t, 32> right;
    return cookieFor(ssl, right) && size == right.size()
        && CRYPTO_memcmp(cookie, right.data(), size) == 0;
}

unsigned clientPsk(SSL *, const char *, char *identity, unsigned identitySize, uint8_t *key,
                   unsigned keySize)
{
    const size_t size = std::strlen(pskKey);
    if (size > keySize || std::strlen(pskIdentity) >= identitySize)
        return 0;
    std::strcpy(identity, pskIdentity);
    std::memcpy(key, pskKey, size);
    return unsigned(size);
}

unsigned serverPsk(SSL *, const char *, uint8_t *key, unsigned keySize)
{
    const size_t size = std::strlen(pskKey);
    if (size > keySize)
        return 0;
    std::memcpy(key, pskKey, size);
    return unsigned(size);
}

// The context of either side.
Context newContext(const SSL_METHOD *method, const Settings &settings)
{
    Context context(SSL_CTX_new(method));
    SSL_CTX *const raw = context.get();
    SSL_CTX_set_max_proto_version(raw, DTLS1_2_VERSION);
    require(SSL_CTX_set_cipher_list(raw, settings.cipher()) == 1, "cipher list");
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    if (!settings.resumption)
        SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
    return context;
}

} // namespace

RawStack::Connection::Connection(SSL_CTX *context, uint16_t clientPort)
    : ssl(SSL_new(context))
    , port(clientPort)
{
    SSL_set_app_data(ssl.get(), &port);
    SSL_set_options(ssl.get(), SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(ssl.get(), linkMtu);
    BIO *bio = newDatagramBio(&lent);
    SSL_set_bio(ssl.get(), bio, bio);
}

void RawStack::Connection::advance()
{
    complete = SSL_do_handshake(ssl.get()) == 1;
}

void RawStack::Connection::receive(const Datagram &datagram)
{
    lent.datagram = &datagram;
    advance();
    lent.datagram = nullptr;
}

void RawStack::Connection::write(const std::string &plain)
{
    SSL_write(ssl.get(), plain.data(), int(plain.size()));
}

size_t RawStack::Connection::read(const Datagram &datagram)
{
    char buffer[1 << 14];
    lent.datagram = &datagram;
    const int size = SSL_read(ssl.get(), buffer, sizeof buffer);
    lent.datagram = nullptr;
    return size_t(std::max(0, size));
}

std::string RawStack::Connection::cipher() const
{
    return SSL_get_cipher_name(ssl.get());
}

RawStack::Client::Client(RawStack &of, uint16_t clientPort)
    : Connection(of.clientContext.get(), clientPort)
    , stack(of)
{
    SSL_set_connect_state(handle());
    SSL_set1_host(handle(), serverName);
    SSL_set_tlsext_host_name(handle(), serverName);
    if (stack.session)
        SSL_set_session(handle(), stack.session.get());
}

RawStack::Client::~Client()
{
    if (stack.resumption && complete)
        stack.session.reset(SSL_get1_session(handle()));
    // Without it OpenSSL would not resume the session.
    SSL_set_quiet_shutdown(handle(), 1);
    SSL_shutdown(handle());
}

RawStack::RawStack(const Settings &settings)
    : serverContext(newContext(DTLS_server_method(), settings))
    , clientContext(newContext(DTLS_client_method(), settings))
    , resumption(settings.resumption)
{
    SSL_CTX *const server = serverContext.get();
    SSL_CTX *const client = clientContext.get();
    SSL_CTX_set_options(server, SSL_OP_COOKIE_EXCHANGE);
    SSL_CTX_set_cookie_generate_cb(server, generateCookie);
    SSL_CTX_set_cookie_verify_cb(server, verifyCookie);
    if (settings.credentials == Credentials::Psk) {
        SSL_CTX_set_psk_server_callback(server, serverPsk);
        SSL_CTX_set_psk_client_callback(client, clientPsk);
    } else {
        const std::string certificate = settings.file("crt"), key = settings.file("key");
        require(SSL_CTX_use_certificate_file(server, certificate.c_str(), SSL_FILETYPE_PEM) == 1
                    && SSL_CTX_use_PrivateKey_file(server, key.c_str(), SSL_FILETYPE_PEM) == 1
                    && SSL_CTX_load_verify_locations(client, certificate.c_str(), nullptr) == 1,
                "the server's certificate");
        if (settings.systemCas)
            require(SSL_CTX_load_verify_locations(client, systemCaFile, nullptr) == 1,
                    systemCaFile);
        SSL_CTX_set_verify(client, SSL_VERIFY_PEER, nullptr);
    }
}

RawStack::RawStack(const RawStack &other)
    : serverContext(other.serverContext.get())
    , clientContext(other.clientContext.get())
    , resumption(other.resumption)
{
    SSL_CTX_up_ref(serverContext.get());
    SSL_CTX_up_ref(clientContext.get());
}

bool RawStack::verify(const Datagram &hello, uint16_t port)
{
    if (!listening)
        listening = std::make_unique<Server>(serverContext.get(), port);
    listening->port = port;
    listening->lent.datagram = &hello;
    thread_local BIO_ADDR *const unused = BIO_ADDR_new();
    const bool verified = DTLSv1_listen(listening->handle(), unused) == 1;
    listening->lent.datagram = nullptr;
    return verified;
}

std::unique_ptr<RawStack::Server> RawStack::accept(const Datagram &hello, uint16_t)
{
    auto connection = std::move(listening);
    // DTLSv1_listen() has only peeked at it.
    connection->receive(hello);
    return connection;
}

} // namespace bench
