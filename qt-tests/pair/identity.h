// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A certificate with its key, and the configurations of a server that has it and a client that
// trusts it.
#pragma once

#include <QtNetwork/QSslCertificate>
#include <QtNetwork/QSslConfiguration>
#include <QtNetwork/QSslKey>

namespace pair {

struct Identity {
    QSslCertificate certificate;
    QSslKey key;

    // From files in PEM. Both are null when they cannot be read.
    static Identity fromFiles(const QString &certificateFile, const QString &keyFile,
                              QSsl::KeyAlgorithm algorithm);

    // A self-signed certificate and its key, made by the `openssl` program. `alternativeNames` is
    // in OpenSSL's notation: "DNS:bob.example", "IP:127.0.0.1"; without a serial number it gets a
    // random one. Both are null when they cannot be made; then the handshake that needs them fails.
    static Identity selfSigned(const QString &alternativeNames,
                               const QString &commonName = "hardening.example",
                               const QString &serial = {});
};

// A server that asks for no client certificate and verifies no cookie.
QSslConfiguration serverConfiguration(const Identity &identity = Identity());
// A client that trusts this certificate alone, or verifies no one when it is null.
QSslConfiguration clientConfiguration(const Identity &trusted = Identity());

} // namespace pair
