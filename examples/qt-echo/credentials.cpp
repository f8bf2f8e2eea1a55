// SPDX-License-Identifier: MIT OR Apache-2.0
#include "credentials.h"

#include "failure.h"

#include <QFile>
#include <QProcess>
#include <QSslCertificate>
#include <QSslCipher>
#include <QSslKey>

using namespace Qt::StringLiterals;

static QSslConfiguration dtlsConfiguration(QSslSocket::PeerVerifyMode verifyMode)
{
    auto configuration = QSslConfiguration::defaultDtlsConfiguration();
    configuration.setProtocol(QSsl::DtlsV1_2OrLater);
    configuration.setPeerVerifyMode(verifyMode);
    return configuration;
}

static QByteArray readAll(const QString &fileName)
{
    QFile file(fileName);
    if (!file.open(QIODevice::ReadOnly))
        throw Failure(fileName + u": "_s + file.errorString());
    return file.readAll();
}

static QSslCertificate readCertificate(const QString &fileName)
{
    const QSslCertificate certificate(readAll(fileName));
    if (certificate.isNull())
        throw Failure(fileName + u": not a PEM certificate"_s);
    return certificate;
}

static QSslKey readPrivateKey(const QString &fileName)
{
    const QByteArray pem = readAll(fileName);
    for (const auto algorithm : { QSsl::Ec, QSsl::Rsa }) {
        const QSslKey key(pem, algorithm);
        if (!key.isNull())
            return key;
    }
    throw Failure(fileName + u": not a PEM private key (EC or RSA)"_s);
}

CertificateFiles createSelfSignedCertificate(const QString &directory)
{
    const CertificateFiles files { directory + u"/certificate.pem"_s, directory + u"/key.pem"_s };

    QProcess openssl;
    openssl.start(u"openssl"_s,
                  { u"req"_s, u"-x509"_s, u"-nodes"_s, u"-newkey"_s, u"ec"_s, u"-pkeyopt"_s,
                    u"ec_paramgen_curve:prime256v1"_s, u"-days"_s, u"1"_s, u"-subj"_s,
                    u"/CN=localhost"_s, u"-addext"_s,
                    u"subjectAltName=DNS:localhost,IP:127.0.0.1"_s, u"-out"_s, files.certificate,
                    u"-keyout"_s, files.privateKey });
    if (!openssl.waitForFinished())
        throw Failure(u"openssl req: "_s + openssl.errorString());
    if (openssl.exitStatus() != QProcess::NormalExit || openssl.exitCode() != 0)
        throw Failure(u"openssl req: "_s
                      + QString::fromLocal8Bit(openssl.readAllStandardError()).trimmed());
    return files;
}

Credentials serverWithCertificate(const CertificateFiles &files)
{
    auto configuration = dtlsConfiguration(QSslSocket::VerifyNone);
    configuration.setLocalCertificate(readCertificate(files.certificate));
    configuration.setPrivateKey(readPrivateKey(files.privateKey));
    return { configuration, {} };
}

Credentials clientTrusting(const QString &certificateFile)
{
    auto configuration = dtlsConfiguration(QSslSocket::VerifyPeer);
    configuration.setCaCertificates({ readCertificate(certificateFile) });
    return { configuration, {} };
}

Credentials withPreSharedKey(const QByteArray &key)
{
    const QSslCipher cipher(u"PSK-AES128-GCM-SHA256"_s);
    if (cipher.isNull())
        throw Failure(u"this OpenSSL has no cipher PSK-AES128-GCM-SHA256"_s);

    // Without certificates there is none to verify: the key authenticates.
    auto configuration = dtlsConfiguration(QSslSocket::VerifyNone);
    configuration.setCiphers({ cipher });
    configuration.setPreSharedKeyIdentityHint("qt-echo server");
    return { configuration, key };
}
