// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QByteArray>
#include <QSslConfiguration>
#include <QString>

/// The identity of one end, and what it accepts from the other.
struct Credentials {
    QSslConfiguration configuration;
    QByteArray preSharedKey; ///< Empty where certificates are used.
};

struct CertificateFiles {
    QString certificate;
    QString privateKey;
};

/// Runs `openssl req` to write a new EC key and a certificate for localhost into `directory`.
CertificateFiles createSelfSignedCertificate(const QString &directory);

/// A server with this certificate that requests none from its clients.
Credentials serverWithCertificate(const CertificateFiles &files);

/// A client that trusts this certificate and nothing else.
Credentials clientTrusting(const QString &certificateFile);

/// Either end of an association with a pre-shared key.
Credentials withPreSharedKey(const QByteArray &key);
