// SPDX-License-Identifier: MIT OR Apache-2.0
#include "identity.h"

#include <QtCore/QFile>
#include <QtCore/QProcess>
#include <QtCore/QTemporaryDir>

namespace pair {

namespace {

QByteArray contents(const QString &fileName)
{
    QFile file(fileName);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

Identity Identity::fromFiles(const QString &certificateFile, const QString &keyFile,
                             QSsl::KeyAlgorithm algorithm)
{
    return { QSslCertificate(contents(certificateFile)), QSslKey(contents(keyFile), algorithm) };
}

Identity Identity::selfSigned(const QString &alternativeNames, const QString &commonName,
                              const QString &serial)
{
    const QTemporaryDir directory;
    const QString certificateFile = directory.filePath(QStringLiteral("certificate.pem"));
    const QString keyFile = directory.filePath(QStringLiteral("key.pem"));

    // OpenSSL tells it from others of its name by this identifier, which 4.0 would leave out.
    QProcess openssl;
    const QStringList number =
        serial.isEmpty() ? QStringList() : QStringList { "-set_serial", serial };
    openssl.start(QStringLiteral("openssl"),
                  QStringList { "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                                "/CN=" + commonName, "-addext",
                                "subjectAltName=" + alternativeNames, "-addext",
                                "authorityKeyIdentifier=keyid:always", "-keyout", keyFile, "-out",
                                certificateFile }
                      + number);
    if (!openssl.waitForFinished() || openssl.exitCode() != 0)
        qWarning("openssl req: %s", openssl.readAllStandardError().constData());

    return fromFiles(certificateFile, keyFile, QSsl::Ec);
}

QSslConfiguration serverConfiguration(const Identity &identity)
{
    auto configuration = QSslConfiguration::defaultDtlsConfiguration();
    configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    configuration.setDtlsCookieVerificationEnabled(false);
    configuration.setLocalCertificate(identity.certificate);
    configuration.setPrivateKey(identity.key);
    return configuration;
}

QSslConfiguration clientConfiguration(const Identity &trusted)
{
    auto configuration = QSslConfiguration::defaultDtlsConfiguration();
    if (trusted.certificate.isNull())
        configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    else
        configuration.setCaCertificates({ trusted.certificate });
    return configuration;
}

} // namespace pair
