// SPDX-License-Identifier: MIT OR Apache-2.0
#include "qt_stack.h"

#include "fail.h"

#include <QtNetwork/QNetworkProxy>
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
    dtls.setDtlsConfiguration(stack.configurationFor(mode));
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
    if (stack.settings.resumption && isComplete())
        stack.clientConfiguration = dtls.dtlsConfiguration();
}

QtStack::QtStack(const Settings &settings)
    : settings(settings)
    , identity(identityOf(settings))
    , systemCas(settings.systemCas ? QSslConfiguration::systemCaCertificates()
                                   : QList<QSslCertificate>())
    , serverConfiguration(makeConfiguration(QSslSocket::SslServerMode))
    , clientConfiguration(makeConfiguration(QSslSocket::SslClientMode))
{
    bind();
}

QtStack::QtStack(const QtStack &other)
    : settings(other.settings)
    , identity(other.identity)
    , systemCas(other.systemCas)
    , serverConfiguration(other.serverConfiguration)
    , clientConfiguration(other.clientConfiguration)
{
    bind();
}

void QtStack::bind()
{
    // To ask for the system's proxies Qt would start a thread, and malloc takes locks in a process
    // that has two. Raw has one.
    serverSocket.setProxy(QNetworkProxy::NoProxy);
    clientSocket.setProxy(QNetworkProxy::NoProxy);
    require(serverSocket.bind(address) && clientSocket.bind(address), "bind");
}

QSslConfiguration QtStack::makeConfiguration(QSslSocket::SslMode mode) const
{
    QSslConfiguration configuration;
    if (mode == QSslSocket::SslServerMode) {
        configuration = pair::serverConfiguration(identity);
        configuration.setDtlsCookieVerificationEnabled(true);
    } else {
        configuration = pair::clientConfiguration(identity);
        configuration.addCaCertificates(systemCas);
    }
    configure(configuration, settings);
    return configuration;
}

QSslConfiguration QtStack::configurationFor(QSslSocket::SslMode mode) const
{
    if (settings.ownConfigurations)
        return makeConfiguration(mode);
    return mode == QSslSocket::SslServerMode ? serverConfiguration : clientConfiguration;
}

std::unique_ptr<QtStack::Server> QtStack::accept(const Datagram &hello, uint16_t port)
{
    auto connection = std::make_unique<Server>(*this, QSslSocket::SslServerMode, port);
    connection->receive(hello);
    return connection;
}

} // namespace bench
