// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Certificates for the cases, made by the `openssl` program when they are needed.
#pragma once

#include <QtNetwork/QSslCertificate>
#include <QtNetwork/QSslKey>

namespace hardening {

struct Identity {
    QSslCertificate certificate;
    QSslKey key;

    // A self-signed certificate and its key. `alternativeNames` is in OpenSSL's notation:
    // "DNS:bob.example", "IP:127.0.0.1". Both are null when they could not be made; then the
    // handshake that needs them fails.
    static Identity selfSigned(const QString &alternativeNames,
                               const QString &commonName = "hardening.example");
};

} // namespace hardening
