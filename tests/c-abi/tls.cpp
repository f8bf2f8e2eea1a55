// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tls.h"
#include "cases.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <string>

namespace harness {

namespace {

struct FreeGenerator {
    void operator()(EVP_PKEY_CTX *generator) const { EVP_PKEY_CTX_free(generator); }
};

KeyPtr makeKey()
{
    std::unique_ptr<EVP_PKEY_CTX, FreeGenerator> generator(
        EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr));
    CHECK_EQUAL(EVP_PKEY_keygen_init(generator.get()), 1);
    CHECK_EQUAL(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator.get(), NID_X9_62_prime256v1), 1);
    EVP_PKEY *key = nullptr;
    CHECK_EQUAL(EVP_PKEY_keygen(generator.get(), &key), 1);
    return KeyPtr(key);
}

void addComment(X509 *certificate, std::size_t length)
{
    const std::string text(length, 'c');
    X509_EXTENSION *comment =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_netscape_comment, text.c_str());
    const int added = X509_add_ext(certificate, comment, -1);
    X509_EXTENSION_free(comment);
    CHECK_EQUAL(added, 1);
}

ContextPtr makeContext()
{
    ContextPtr context(SSL_CTX_new(DTLS_method()));
    CHECK_EQUAL(qdtls_context_prepare(context.get()), QDTLS_STATUS_OK);
    return context;
}

} // namespace

Identity makeIdentity(long secondsValid, std::size_t commentLength)
{
    Identity identity { makeKey(), CertificatePtr(X509_new()) };
    X509 *certificate = identity.certificate.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), secondsValid);
    X509_set_pubkey(certificate, identity.key.get());
    // OpenSSL 4.0 does not let a certificate's own name be changed.
    const std::unique_ptr<X509_NAME, Free<X509_NAME_free>> name(X509_NAME_new());
    const auto *commonName = reinterpret_cast<const unsigned char *>("harness");
    X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_ASC, commonName, -1, -1, 0);
    X509_set_subject_name(certificate, name.get());
    X509_set_issuer_name(certificate, name.get());
    if (commentLength > 0)
        addComment(certificate, commentLength);
    CHECK(X509_sign(certificate, identity.key.get(), EVP_sha256()) > 0);
    return identity;
}

ContextPtr clientContext()
{
    ContextPtr context = makeContext();
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, q_X509DtlsCallback);
    return context;
}

ContextPtr serverContext(const Identity &identity)
{
    ContextPtr context = makeContext();
    CHECK_EQUAL(SSL_CTX_use_certificate(context.get(), identity.certificate.get()), 1);
    CHECK_EQUAL(SSL_CTX_use_PrivateKey(context.get(), identity.key.get()), 1);
    return context;
}

ContextPtr pskContext(const char *hint)
{
    ContextPtr context = makeContext();
    CHECK_EQUAL(SSL_CTX_set_cipher_list(context.get(), "PSK"), 1);
    CHECK_EQUAL(SSL_CTX_use_psk_identity_hint(context.get(), hint), 1);
    return context;
}

} // namespace harness
