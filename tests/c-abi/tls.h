// SPDX-License-Identifier: MIT OR Apache-2.0
// Owned OpenSSL objects, made by the program itself.
#ifndef HARNESS_TLS_H
#define HARNESS_TLS_H

#include "qdtls_rs.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>

namespace harness {

template <auto free> struct Free {
    template <typename T> void operator()(T *object) const { free(object); }
};

using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Free<X509_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;

struct Identity {
    KeyPtr key;
    CertificatePtr certificate;
};

// An EC key with a self-signed certificate, which a long comment makes larger than a datagram.
Identity makeIdentity(long secondsValid = 3600, std::size_t commentLength = 0);

// For a client that shows no certificate and notes what is wrong with the server's.
ContextPtr clientContext();
ContextPtr serverContext(const Identity &identity);
// For both sides; a server sends the hint.
ContextPtr pskContext(const char *hint = nullptr);

} // namespace harness

#endif
