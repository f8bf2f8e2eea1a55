// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLS_RS_QDTLS_OPENSSL_P_H
#define QDTLS_RS_QDTLS_OPENSSL_P_H

// The header that qtlsbackend_openssl.cpp includes for its DTLS classes, under the name it expects.
// The build defines the include guard of Qt's own header for the whole plugin, which empties that
// header: a file that needs the classes gets them from here, or does not compile.
#ifndef QDTLS_OPENSSL_P_H
#error "QDTLS_OPENSSL_P_H must be defined in the whole plugin, see cmake/adapter.cmake"
#endif

// First, because Qt's private OpenSSL headers rely on it.
#include "qsslsocket_openssl_symbols_p.h"

#include "qsslcontext_openssl_p.h"
#include "qtlsbackend_openssl_p.h"

#include "qdtlsrs_connection_p.h"
#include "qdtlsrs_verifier_p.h"

QT_REQUIRE_CONFIG(openssl);
QT_REQUIRE_CONFIG(dtls);

// qtlsbackend_openssl.cpp creates objects of these names. The classes have names of their own, so
// that a build in which that file still saw Qt's header fails to link, instead of mixing two
// layouts under one name.
#define QDtlsClientVerifierOpenSSL QdtlsRsClientVerifier
#define QDtlsPrivateOpenSSL QdtlsRsConnection

#endif // QDTLS_RS_QDTLS_OPENSSL_P_H
