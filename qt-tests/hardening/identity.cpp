// SPDX-License-Identifier: MIT OR Apache-2.0
#include "identity.h"

#include <QtCore/QFile>
#include <QtCore/QProcess>
#include <QtCore/QTemporaryDir>

namespace hardening {

namespace {

QByteArray contents(const QString &fileName)
{
    QFile file(fileName);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

Identity Identity::selfSigned(const QString &alternativeNames, const QString &commonName)
{
    const QTemporaryDir directory;
    const QString certificateFile = directory.filePath(QStringLiteral("certificate.pem"));
    const QString keyFile = directory.filePath(QStringLiteral("key.pem"));

    QProcess openssl;
    openssl.start(QStringLiteral("openssl"),
                  { "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=" + commonName, "-addext",
                    "subjectAltName=" + alternativeNames, "-keyout", keyFile, "-out",
                    certificateFile });
    if (!openssl.waitForFinished() || openssl.exitCode() != 0)
        qWarning("openssl req: %s", openssl.readAllStandardError().constData());

    return { QSslCertificate(contents(certificateFile)), QSslKey(contents(keyFile), QSsl::Ec) };
}

} // namespace hardening
