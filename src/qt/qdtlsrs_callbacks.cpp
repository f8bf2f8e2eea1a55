// SPDX-License-Identifier: MIT OR Apache-2.0

// The callbacks that qsslcontext_openssl.cpp gives to a context. Up to Qt 6.10 it refers to them
// with C linkage, which are Rust's own; from 6.11 on with C++ linkage, which are these. A plugin's
// linker takes those that are asked for and drops the others.

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
