// SPDX-License-Identifier: MIT OR Apache-2.0

// The callbacks that qsslcontext_openssl.cpp installs in a context. Up to Qt 6.10 it refers to
// Rust's own, with C linkage; from 6.11 on to these, with C++ linkage. The linker drops those that
// are not used.

#include "qsslsocket_openssl_symbols_p.h"

#include <qdtls_rs.h>

QT_BEGIN_NAMESPACE

namespace dtlscallbacks {

int q_X509DtlsCallback(int ok, X509_STORE_CTX *context);
int q_generate_cookie_callback(SSL *ssl, unsigned char *cookie, unsigned *length);
int q_verify_cookie_callback(SSL *ssl, const unsigned char *cookie, unsigned length);

int q_X509DtlsCallback(int ok, X509_STORE_CTX *context)
{
    return ::q_X509DtlsCallback(ok, context);
}

int q_generate_cookie_callback(SSL *ssl, unsigned char *cookie, unsigned *length)
{
    return ::q_generate_cookie_callback(ssl, cookie, length);
}

int q_verify_cookie_callback(SSL *ssl, const unsigned char *cookie, unsigned length)
{
    return ::q_verify_cookie_callback(ssl, cookie, length);
}

} // namespace dtlscallbacks

QT_END_NAMESPACE
