// SPDX-License-Identifier: MIT OR Apache-2.0
#include "qt_stack.h"

#include "fail.h"

#include <QtCore/QFile>
#include <QtNetwork/QSslCertificate>
#include <QtNetwork/QSslKey>
#include <QtNetwork/QSslPreSharedKeyAuthenticator>

namespace bench {

namespace {

QByteArray contents(const std::string &fileName)
{
    QFile file(QString::fromStdString(fileName));
    require(file.open(QIODevice::ReadOnly), fileName.c_str());
    return file.readAll();
}

QSslConfiguration configurationFor(const Settings &settings)
{
    auto configuration = QSslConfiguration::defaultDtlsConfiguration();
    configuration.setCiphers(QString::fromLatin1(settings.cipher()));
    if (settings.resumption) {
        configuration.setSslOption(QSsl::SslOptionDisableSessionSharing, false);
        configuration.setSslOption(QSsl::SslOptionDisableSessionTickets, false);
        configuration.setSslOption(QSsl::SslOptionDisableSessionPersistence, false);
    }
    return configuration;
}

} // namespace

QtStack::Connection::Connection(QtStack &stack, QSslSocket::SslMode mode, uint16_t port)
    : dtls(mode)
    , socket(mode == QSslSocket::SslServerMode ? stack.serverSocket : stack.clientSocket)
{
    const bool server = mode == QSslSocket::SslServerMode;
    dtls.setDtlsConfiguration(server ? stack.serverConfiguration : stack.clientConfiguration);
    dtls.setMtuHint(linkMtu);
    if (server)
        dtls.setPeer(stack.address, port);
    else
        dtls.setPeer(stack.address, stack.serverSocket.localPort(), QLatin1String(serverName));
    QObject::connect(&dtls, &QDtls::pskRequired, &dtls,
                     [](QSslPreSharedKeyAuthenticator *authenticator) {
                         authenticator->setIdentity(pskIdentity);
                         authenticator->setPreSharedKey(pskKey);
                     });
}

QtStack::Client::Client(QtStack &of, uint16_t port)
    : Connection(of, QSslSocket::SslClientMode, port)
    , stack(of)
{
}

QtStack::Client::~Client()
{
    if (stack.resumption && isComplete())
        stack.clientConfiguration = dtls.dtlsConfiguration();
}

QtStack::QtStack(const Settings &settings)
    : serverConfiguration(configurationFor(settings))
    , clientConfiguration(serverConfiguration)
    , resumption(settings.resumption)
{
    require(serverSocket.bind(address) && clientSocket.bind(address), "bind");
    serverConfiguration.setPeerVerifyMode(QSslSocket::VerifyNone);
    if (settings.credentials == Credentials::Psk) {
        clientConfiguration.setPeerVerifyMode(QSslSocket::VerifyNone);
        return;
    }
    const QSslCertificate certificate(contents(settings.file("crt")));
    const auto algorithm = settings.credentials == Credentials::Rsa ? QSsl::Rsa : QSsl::Ec;
    serverConfiguration.setLocalCertificate(certificate);
    serverConfiguration.setPrivateKey(QSslKey(contents(settings.file("key")), algorithm));
    QList<QSslCertificate> trusted { certificate };
    if (settings.systemCas)
        trusted += QSslConfiguration::systemCaCertificates();
    clientConfiguration.setCaCertificates(trusted);
}

std::unique_ptr<QtStack::Server> QtStack::accept(const Datagram &hello, uint16_t port)
{
    auto connection = std::make_unique<Server>(*this, QSslSocket::SslServerMode, port);
    connection->receive(hello);
    return connection;
}

} // namespace bench
