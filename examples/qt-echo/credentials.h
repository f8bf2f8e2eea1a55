// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QByteArray>
#include <QSslConfiguration>
#include <QString>

/// What one end proves its identity with, and what it accepts from the other.
struct Credentials {
    QSslConfiguration configuration;
    QByteArray preSharedKey; ///< Empty where certificates are used.
};

struct CertificateFiles {
    QString certificate;
    QString privateKey;
};

/// Lets `openssl req` write a fresh EC key and a certificate for localhost into `directory`.
CertificateFiles createSelfSignedCertificate(const QString &directory);

/// A server that shows this certificate and asks its clients for none.
Credentials serverWithCertificate(const CertificateFiles &files);

/// A client that trusts this certificate and nothing else.
Credentials clientTrusting(const QString &certificateFile);

/// Either end of an association authenticated by a key both know.
Credentials withPreSharedKey(const QByteArray &key);
