// SPDX-License-Identifier: MIT OR Apache-2.0
#include "openssl_cookie.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace bench {

namespace {

using Cookie = std::array<std::uint8_t, 32>;

// With a key of the process. It is set once, since HMAC(3) and a fetch cost more than the hash.
EVP_MAC_CTX *newMac()
{
    Cookie key;
    RAND_bytes(key.data(), int(key.size()));
    EVP_MAC *hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                      OSSL_PARAM_construct_end() };
    EVP_MAC_init(mac, key.data(), key.size(), parameters);
    return mac;
}

bool cookieFor(SSL *ssl, Cookie &cookie)
{
    static EVP_MAC_CTX *const mac = newMac();
    const auto *peer = static_cast<const sockaddr_in *>(SSL_get_app_data(ssl));
    std::uint8_t input[6];
    std::memcpy(input, &peer->sin_addr, 4);
    std::memcpy(input + 4, &peer->sin_port, 2);
    std::size_t size = 0;
    return EVP_MAC_init(mac, nullptr, 0, nullptr) == 1
        && EVP_MAC_update(mac, input, sizeof input) == 1
        && EVP_MAC_final(mac, cookie.data(), &size, cookie.size()) == 1;
}

int generate(SSL *ssl, unsigned char *cookie, unsigned *size)
{
    Cookie made;
    if (!cookieFor(ssl, made))
        return 0;
    std::memcpy(cookie, made.data(), made.size());
    *size = unsigned(made.size());
    return 1;
}

int verify(SSL *ssl, const unsigned char *cookie, unsigned size)
{
    Cookie right;
    return cookieFor(ssl, right) && size == right.size()
        && CRYPTO_memcmp(cookie, right.data(), size) == 0;
}

} // namespace

void useCookies(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_COOKIE_EXCHANGE);
    SSL_CTX_set_cookie_generate_cb(context, generate);
    SSL_CTX_set_cookie_verify_cb(context, verify);
}

} // namespace bench
