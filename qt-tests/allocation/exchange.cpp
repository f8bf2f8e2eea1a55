// SPDX-License-Identifier: MIT OR Apache-2.0
#include "exchange.h"

#include "pair/loopback.h"

#include <QtCore/QEventLoop>
#include <QtCore/QTimer>

#include <initializer_list>
#include <new>

namespace allocation {

using namespace pair;

namespace {

constexpr auto serverName = "bob.example";
constexpr auto request = "request";
constexpr auto answer = "answer";

// Thrown by the step at which an exchange ends early.
struct Ended {
    Ending ending;
};

[[noreturn]] void wrong(const QByteArray &detail)
{
    throw Ended { { Ending::Wrong, detail } };
}

// A step has failed: it must have reported an error with a text.
template <typename Reporter> [[noreturn]] void refuse(const char *step, const Reporter &reporter)
{
    const QByteArray text = reporter.dtlsErrorString().toUtf8();
    if (reporter.dtlsError() == QDtlsError::NoError)
        wrong(step + QByteArray(" failed without an error"));
    if (text.isEmpty())
        wrong(step + QByteArray(" failed without a text"));
    throw Ended { { Ending::Refused, step + QByteArray(": ") + text } };
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

void step(Endpoint &endpoint, const QByteArray &datagram, const char *name)
{
    const bool succeeded = endpoint.dtls->doHandshake(&endpoint.socket, datagram);
    checkState(*endpoint.dtls, name);
    if (succeeded)
        return;
    if (isComplete(*endpoint.dtls))
        wrong(name + QByteArray(" failed and is complete"));
    refuse(name, *endpoint.dtls);
}

// Waits for the first timeout, and sends that side's last flight again.
void retransmit(std::initializer_list<Endpoint *> endpoints)
{
    constexpr int longerThanTheSecondTimeoutMs = 2500;
    QEventLoop loop;
    Endpoint *late = nullptr;
    for (Endpoint *endpoint : endpoints) {
        if (endpoint->dtls->dtlsError() != QDtlsError::NoError)
            refuse("timer", *endpoint->dtls);
        QObject::connect(endpoint->dtls.get(), &QDtls::handshakeTimeout, &loop, [&, endpoint] {
            late = endpoint;
            loop.quit();
        });
    }
    // Not QTimer::singleShot(), whose timer would outlive the loop and look like a leak.
    QTimer limit;
    limit.setSingleShot(true);
    QObject::connect(&limit, &QTimer::timeout, &loop, &QEventLoop::quit);
    limit.start(longerThanTheSecondTimeoutMs);
    loop.exec();
    if (!late)
        wrong("nothing comes, no timeout, and no error");
    if (!late->dtls->handleTimeout(&late->socket))
        refuse("handleTimeout", *late->dtls);
}

// Returns whether a datagram was lost.
bool exchangeCookies(Endpoint &client, Endpoint &server)
{
    // The verifier makes a secret of random numbers.
    QDtlsClientVerifier verifier;
    server.dtls->setCookieGeneratorParameters(verifier.cookieGeneratorParameters());
    // The function always returns false.
    if (server.dtls->dtlsError() != QDtlsError::NoError)
        refuse("server's secret", *server.dtls);

    step(client, {}, "first ClientHello");
    constexpr int enoughHellos = 3;
    bool isLossy = false;
    for (int hello = 1; hello <= enoughHellos; ++hello) {
        auto datagram = nextDatagram(server.socket);
        if (!datagram) {
            isLossy = true;
            retransmit({ &client });
            datagram = nextDatagram(server.socket);
        }
        if (!datagram)
            wrong("no ClientHello, and no error");
        if (server.verify(verifier, *datagram))
            break;
        if (verifier.dtlsError() != QDtlsError::NoError || hello == enoughHellos)
            refuse("verifyClient", verifier);
        if (const auto reply = nextDatagram(client.socket)) {
            step(client, *reply, "second ClientHello");
        } else {
            isLossy = true;
            retransmit({ &client });
        }
    }
    step(server, verifier.verifiedHello(), "server's start");
    return isLossy;
}

// Returns whether a datagram was lost.
bool shakeHands(Endpoint &client, Endpoint &server)
{
    constexpr int enoughRetransmissions = 2;
    int retransmissions = 0;
    while (!isComplete(*client.dtls) || !isComplete(*server.dtls)) {
        if (!waitForDatagram(client.socket, server.socket)) {
            if (++retransmissions > enoughRetransmissions)
                wrong("the handshake stands still, and no error");
            retransmit({ &client, &server });
        }
        if (client.socket.hasPendingDatagrams())
            step(client, *nextDatagram(client.socket), "client's handshake");
        if (!server.socket.hasPendingDatagrams())
            continue;
        // Once it is complete, a flight that the client sends again is for the connection.
        const auto datagram = nextDatagram(server.socket);
        if (!isComplete(*server.dtls))
            step(server, *datagram, "server's handshake");
        else if (!server.dtls->decryptDatagram(&server.socket, *datagram).isEmpty())
            wrong("the handshake gave a text");
    }
    return retransmissions > 0;
}

void send(Endpoint &from, const char *text, const char *name)
{
    const qint64 length = qstrlen(text);
    const qint64 written = from.dtls->writeDatagramEncrypted(&from.socket, text);
    checkState(*from.dtls, name);
    if (written < 0)
        refuse(name, *from.dtls);
    if (written != length)
        wrong(name + QByteArray(" wrote ") + QByteArray::number(written));
}

void receive(Endpoint &by, const char *text, const char *name)
{
    const auto datagram = nextDatagram(by.socket);
    if (!datagram)
        wrong(name + QByteArray(": nothing came, and no error"));
    const QByteArray plain = by.dtls->decryptDatagram(&by.socket, *datagram);
    checkState(*by.dtls, name);
    if (plain == text)
        return;
    if (!plain.isEmpty())
        wrong(name + QByteArray(" gave another text"));
    refuse(name, *by.dtls);
}

// Returns whether a datagram was lost: none is sent again.
bool close(Endpoint &client, Endpoint &server)
{
    if (!client.dtls->shutdown(&client.socket))
        refuse("shutdown", *client.dtls);
    checkState(*client.dtls, "shutdown");
    const auto datagram = nextDatagram(server.socket);
    if (!datagram)
        return true;
    server.dtls->decryptDatagram(&server.socket, *datagram);
    checkState(*server.dtls, "close_notify");
    if (server.dtls->dtlsError() != QDtlsError::RemoteClosedConnectionError)
        refuse("server's end", *server.dtls);
    return false;
}

} // namespace

const char *Ending::nameOf(Kind kind)
{
    switch (kind) {
    case Completed:
        return "completed";
    case Lost:
        return "lost";
    case Refused:
        return "refused";
    case Thrown:
        return "thrown";
    case Wrong:
        break;
    }
    return "wrong";
}

Configurations Configurations::make()
{
    const auto identity = Identity::selfSigned(QStringLiteral("DNS:") + serverName);
    Configurations made { clientConfiguration(identity), serverConfiguration(identity) };
    made.server.setDtlsCookieVerificationEnabled(true);
    made.server.setCaCertificates({});
    return made;
}

Configurations Configurations::makePsk()
{
    Configurations made { clientConfiguration(), serverConfiguration() };
    made.server.setDtlsCookieVerificationEnabled(true);
    return made;
}

Ending runExchange(const Configurations &configurations)
{
    try {
        Loopback link(configurations.client, configurations.server, serverName);
        bool isLossy = exchangeCookies(link.client, link.server);
        isLossy |= shakeHands(link.client, link.server);
        send(link.client, request, "client's write");
        receive(link.server, request, "server's read");
        send(link.server, answer, "server's write");
        receive(link.client, answer, "client's read");
        isLossy |= close(link.client, link.server);
        return { isLossy ? Ending::Lost : Ending::Completed, {} };
    } catch (const Ended &ended) {
        return ended.ending;
    } catch (const std::bad_alloc &) {
        return { Ending::Thrown, {} };
    }
}

} // namespace allocation
