// SPDX-License-Identifier: MIT OR Apache-2.0
#include "qt_stack.h"

#include "fail.h"
#include "pair/identity.h"

#include <QtNetwork/QSslPreSharedKeyAuthenticator>

namespace bench {

namespace {

pair::Identity identityOf(const Settings &settings)
{
    if (settings.credentials == Credentials::Psk)
        return pair::Identity();
    const auto algorithm = settings.credentials == Credentials::Rsa ? QSsl::Rsa : QSsl::Ec;
    const auto identity =
        pair::Identity::fromFiles(QString::fromStdString(settings.file("crt")),
                                  QString::fromStdString(settings.file("key")), algorithm);
    require(!identity.certificate.isNull() && !identity.key.isNull(), "the server's certificate");
    return identity;
}

void configure(QSslConfiguration &configuration, const Settings &settings)
{
    configuration.setCiphers(QString::fromLatin1(settings.cipher()));
    if (settings.resumption) {
        configuration.setSslOption(QSsl::SslOptionDisableSessionSharing, false);
        configuration.setSslOption(QSsl::SslOptionDisableSessionTickets, false);
        configuration.setSslOption(QSsl::SslOptionDisableSessionPersistence, false);
    }
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
    : resumption(settings.resumption)
{
    require(serverSocket.bind(address) && clientSocket.bind(address), "bind");
    const pair::Identity identity = identityOf(settings);
    serverConfiguration = pair::serverConfiguration(identity);
    serverConfiguration.setDtlsCookieVerificationEnabled(true);
    clientConfiguration = pair::clientConfiguration(identity);
    if (settings.systemCas)
        clientConfiguration.addCaCertificates(QSslConfiguration::systemCaCertificates());
    configure(serverConfiguration, settings);
    configure(clientConfiguration, settings);
}

std::unique_ptr<QtStack::Server> QtStack::accept(const Datagram &hello, uint16_t port)
{
    auto connection = std::make_unique<Server>(*this, QSslSocket::SslServerMode, port);
    connection->receive(hello);
    return connection;
}

} // namespace bench
