// SPDX-License-Identifier: MIT OR Apache-2.0
#include "settings.h"

#include <QtCore/QCommandLineParser>
#include <QtCore/QFile>
#include <QtNetwork/QSslCertificate>
#include <QtNetwork/QSslKey>

namespace interop {

namespace {

QSslKey keyIn(const QString &fileName)
{
    QFile file(fileName);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const QByteArray pem = file.readAll();
    const QSslKey ec(pem, QSsl::Ec);
    return ec.isNull() ? QSslKey(pem, QSsl::Rsa) : ec;
}

void permitResumption(QSslConfiguration &configuration)
{
    configuration.setSslOption(QSsl::SslOptionDisableSessionSharing, false);
    configuration.setSslOption(QSsl::SslOptionDisableSessionTickets, false);
    configuration.setSslOption(QSsl::SslOptionDisableSessionPersistence, false);
}

Closer closerNamed(const QString &name)
{
    if (name == u"peer")
        return Closer::Peer;
    return name == u"nobody" ? Closer::Nobody : Closer::Ours;
}

class CommandLine {
public:
    explicit CommandLine(const QCoreApplication &application)
    {
        parser.addPositionalArgument("role", "client or server");
        for (const char *name : { "port", "certificate", "key", "authority", "psk", "ciphers",
                                  "mtu", "alpn", "sizes", "closer", "limit" })
            parser.addOption({ QString(name), {}, "value" });
        for (const char *name : { "no-cookie", "resume", "restart", "verify", "coap" })
            parser.addOption(QCommandLineOption(QString(name)));
        parser.process(application);
    }

    Settings settings() const
    {
        Settings settings;
        settings.isServer = parser.positionalArguments() == QStringList("server");
        settings.port = quint16(value("port").toUInt());
        settings.preSharedKey = QByteArray::fromHex(value("psk").toLatin1());
        settings.mtuHint = quint16(value("mtu").toUInt());
        settings.usesCookies = !has("no-cookie");
        settings.resumes = has("resume");
        settings.restarts = has("restart");
        settings.isCoap = has("coap");
        settings.closer = closerNamed(value("closer"));
        settings.limit = std::chrono::milliseconds(value("limit").toInt());
        for (const QString &size : value("sizes").split(u',', Qt::SkipEmptyParts))
            settings.sizes << size.toInt();
        settings.configuration = configuration();
        return settings;
    }

private:
    QString value(const char *name) const { return parser.value(name); }
    bool has(const char *name) const { return parser.isSet(name); }

    QSslConfiguration configuration() const
    {
        auto configuration = QSslConfiguration::defaultDtlsConfiguration();
        configuration.setPeerVerifyMode(has("verify") ? QSslSocket::VerifyPeer
                                                      : QSslSocket::VerifyNone);
        configuration.setDtlsCookieVerificationEnabled(!has("no-cookie"));
        configuration.setCaCertificates(QSslCertificate::fromPath(value("authority")));
        if (has("certificate")) {
            configuration.setLocalCertificateChain(QSslCertificate::fromPath(value("certificate")));
            configuration.setPrivateKey(keyIn(value("key")));
        }
        if (has("ciphers"))
            configuration.setBackendConfigurationOption("CipherString", value("ciphers").toUtf8());
        if (has("alpn"))
            configuration.setAllowedNextProtocols({ value("alpn").toUtf8() });
        if (has("resume"))
            permitResumption(configuration);
        return configuration;
    }

    QCommandLineParser parser;
};

} // namespace

Settings readSettings(const QCoreApplication &application)
{
    return CommandLine(application).settings();
}

} // namespace interop
