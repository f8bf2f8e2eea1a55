// SPDX-License-Identifier: MIT OR Apache-2.0
#include "exchange.h"

#include "../hardening/identity.h"

#include <QtNetwork/QDtls>
#include <QtNetwork/QDtlsClientVerifier>
#include <QtNetwork/QHostAddress>
#include <QtNetwork/QUdpSocket>

#include <memory>
#include <optional>

#include <poll.h>

namespace allocation {

namespace {

constexpr auto serverName = "bob.example";
constexpr auto request = "request";
constexpr auto answer = "answer";

// Loopback delivers within the send; this is the margin for a loaded machine.
constexpr int quietMs = 20;

// Thrown by the step at which an exchange ends early.
struct Ended {
    Ending ending;
};

[[noreturn]] void wrong(const QByteArray &detail)
{
    throw Ended { { Ending::Wrong, detail } };
}

// A step has failed: that has to be an error with a text.
template <typename Reporter> [[noreturn]] void refuse(const char *step, const Reporter &reporter)
{
    const QByteArray text = reporter.dtlsErrorString().toUtf8();
    if (reporter.dtlsError() == QDtlsError::NoError)
        wrong(step + QByteArray(" failed without an error"));
    if (text.isEmpty())
        wrong(step + QByteArray(" failed without a text"));
    throw Ended { { Ending::Refused, step + QByteArray(": ") + text } };
}

class Exchange {
public:
    explicit Exchange(const Configurations &configurations);
    void run();

private:
    void exchangeCookies();
    void shakeHands();
    void step(QDtls &dtls, QUdpSocket &socket, const QByteArray &datagram, const char *name);
    void send(QDtls &from, QUdpSocket &socket, const char *text, const char *name);
    void receive(QDtls &by, QUdpSocket &socket, const char *text, const char *name);
    void close();

    QUdpSocket clientSocket;
    QUdpSocket serverSocket;
    QDtls client { QSslSocket::SslClientMode };
    QDtls server { QSslSocket::SslServerMode };
    QDtlsClientVerifier verifier;
};

bool hasDatagram(const QUdpSocket &one, const QUdpSocket &other)
{
    pollfd descriptors[] = { { int(one.socketDescriptor()), POLLIN, 0 },
                             { int(other.socketDescriptor()), POLLIN, 0 } };
    return poll(descriptors, 2, quietMs) > 0;
}

std::optional<QByteArray> nextDatagram(QUdpSocket &socket)
{
    if (!hasDatagram(socket, socket))
        return {};
    QByteArray datagram(socket.pendingDatagramSize(), Qt::Uninitialized);
    datagram.resize(qMax<qint64>(0, socket.readDatagram(datagram.data(), datagram.size())));
    return datagram;
}

bool isComplete(const QDtls &dtls)
{
    return dtls.handshakeState() == QDtls::HandshakeComplete;
}

void checkState(const QDtls &dtls, const char *name)
{
    if (dtls.isConnectionEncrypted() != isComplete(dtls))
        wrong(name + QByteArray(": encrypted and complete are not the same"));
}

Exchange::Exchange(const Configurations &configurations)
{
    clientSocket.bind(QHostAddress::LocalHost);
    serverSocket.bind(QHostAddress::LocalHost);
    client.setDtlsConfiguration(configurations.client);
    client.setPeer(QHostAddress::LocalHost, serverSocket.localPort(), serverName);
    server.setDtlsConfiguration(configurations.server);
    server.setPeer(QHostAddress::LocalHost, clientSocket.localPort());
}

void Exchange::run()
{
    exchangeCookies();
    shakeHands();
    send(client, clientSocket, request, "client's write");
    receive(server, serverSocket, request, "server's read");
    send(server, serverSocket, answer, "server's write");
    receive(client, clientSocket, answer, "client's read");
    close();
}

void Exchange::exchangeCookies()
{
    // The verifier's own secret, for which random numbers are needed.
    server.setCookieGeneratorParameters(verifier.cookieGeneratorParameters());
    // It returns false in any case.
    if (server.dtlsError() != QDtlsError::NoError)
        refuse("server's secret", server);

    step(client, clientSocket, {}, "first ClientHello");
    for (int hello = 1; hello <= 2; ++hello) {
        const auto datagram = nextDatagram(serverSocket);
        if (!datagram)
            wrong("no ClientHello, and no error");
        if (verifier.verifyClient(&serverSocket, *datagram, QHostAddress::LocalHost,
                                  clientSocket.localPort()))
            break;
        if (verifier.dtlsError() != QDtlsError::NoError || hello == 2)
            refuse("verifyClient", verifier);
        const auto reply = nextDatagram(clientSocket);
        if (!reply)
            wrong("no HelloVerifyRequest, and no error");
        step(client, clientSocket, *reply, "second ClientHello");
    }
    step(server, serverSocket, verifier.verifiedHello(), "server's start");
}

void Exchange::shakeHands()
{
    while (!isComplete(client) || !isComplete(server)) {
        if (!hasDatagram(clientSocket, serverSocket))
            wrong("the handshake stands still, and no error");
        if (clientSocket.hasPendingDatagrams())
            step(client, clientSocket, *nextDatagram(clientSocket), "client's handshake");
        if (serverSocket.hasPendingDatagrams())
            step(server, serverSocket, *nextDatagram(serverSocket), "server's handshake");
    }
}

void Exchange::step(QDtls &dtls, QUdpSocket &socket, const QByteArray &datagram, const char *name)
{
    const bool succeeded = dtls.doHandshake(&socket, datagram);
    checkState(dtls, name);
    if (succeeded)
        return;
    if (isComplete(dtls))
        wrong(name + QByteArray(" failed and is complete"));
    refuse(name, dtls);
}

void Exchange::send(QDtls &from, QUdpSocket &socket, const char *text, const char *name)
{
    const qint64 length = qstrlen(text);
    const qint64 written = from.writeDatagramEncrypted(&socket, text);
    checkState(from, name);
    if (written < 0)
        refuse(name, from);
    if (written != length)
        wrong(name + QByteArray(" wrote ") + QByteArray::number(written));
}

void Exchange::receive(QDtls &by, QUdpSocket &socket, const char *text, const char *name)
{
    const auto datagram = nextDatagram(socket);
    if (!datagram)
        wrong(name + QByteArray(": nothing came, and no error"));
    const QByteArray plain = by.decryptDatagram(&socket, *datagram);
    checkState(by, name);
    if (plain == text)
        return;
    if (!plain.isEmpty())
        wrong(name + QByteArray(" gave another text"));
    refuse(name, by);
}

void Exchange::close()
{
    if (!client.shutdown(&clientSocket))
        refuse("shutdown", client);
    checkState(client, "shutdown");
    const auto datagram = nextDatagram(serverSocket);
    if (!datagram)
        wrong("no close_notify, and no error");
    server.decryptDatagram(&serverSocket, *datagram);
    checkState(server, "close_notify");
    if (server.dtlsError() != QDtlsError::RemoteClosedConnectionError)
        refuse("server's end", server);
}

} // namespace

const char *Ending::nameOf(Kind kind)
{
    switch (kind) {
    case Completed:
        return "completed";
    case Refused:
        return "refused";
    case Wrong:
        break;
    }
    return "wrong";
}

Configurations Configurations::make()
{
    const auto identity = hardening::Identity::selfSigned(QStringLiteral("DNS:") + serverName);
    Configurations made { QSslConfiguration::defaultDtlsConfiguration(),
                          QSslConfiguration::defaultDtlsConfiguration() };
    made.client.setCaCertificates({ identity.certificate });
    made.server.setPeerVerifyMode(QSslSocket::VerifyNone);
    made.server.setCaCertificates({});
    made.server.setLocalCertificate(identity.certificate);
    made.server.setPrivateKey(identity.key);
    return made;
}

Ending runExchange(const Configurations &configurations)
{
    try {
        Exchange(configurations).run();
        return { Ending::Completed, {} };
    } catch (const Ended &ended) {
        return ended.ending;
    }
}

} // namespace allocation
