// SPDX-License-Identifier: MIT OR Apache-2.0
#include "exchange.h"

#include "coap.h"
#include "pair/error_names.h"
#include "pair/wire.h"

#include <QtCore/QTextStream>
#include <QtNetwork/QSslCipher>
#include <QtNetwork/QSslPreSharedKeyAuthenticator>

#include <utility>

#include <unistd.h>

namespace interop {

namespace {

using namespace std::chrono_literals;

// A server's first message may come to a client that has not seen the last flight, and one that
// comes more often keeps GnuTLS from asking for that flight.
constexpr auto repeatAfter = 1200ms;

// A client's program begins after the server; a Java machine takes its time.
constexpr auto clientStart = 20s;

// Each message consists of a letter of its own, so that a late echo counts for no other. Programs
// that print what they receive print none of them by themselves. Some take whole lines only.
constexpr char letters[] = "~^|";

// Tells a peer to close the connection.
constexpr char closeRequest[] = "please-close\n";

void print(const QByteArray &line)
{
    QTextStream(stdout) << line << Qt::endl;
}

// Only a full handshake has them: ServerHelloDone, ClientKeyExchange (RFC 5246, 7.4).
bool isFull(const QByteArrayList &received)
{
    const QList<quint8> types = pair::wire::handshakeTypes(received);
    return types.contains(14) || types.contains(16);
}

QByteArray errorsOf(const QDtls &dtls)
{
    QByteArray texts;
    for (const QSslError &error : dtls.peerVerificationErrors())
        texts += " [" + error.errorString().toUtf8() + "]";
    return texts;
}

} // namespace

Exchange::Exchange(const Settings &settings)
    : settings(settings)
    , awaitsClient(settings.isServer)
{
    deadline.callOnTimeout(this, [this] { fail("no end in time"); });
    deadline.start(settings.limit + (awaitsClient ? clientStart : 0s));
    again.setInterval(repeatAfter);
    again.callOnTimeout(this, [this] { sendMessage(); });
}

void Exchange::fail(const QByteArray &why)
{
    print("failed " + why);
    // Slots of QDtls may be at work.
    ::_exit(1);
}

void Exchange::failWith(const QByteArray &what)
{
    fail(what + ": " + reason());
}

QByteArray Exchange::reason() const
{
    return QByteArray(pair::nameOf(dtls->dtlsError())) + ": " + dtls->dtlsErrorString().toUtf8()
        + errorsOf(*dtls);
}

void Exchange::listen()
{
    socket = std::make_unique<QUdpSocket>();
    if (!socket->bind(QHostAddress::LocalHost, settings.isServer ? settings.port : 0))
        return fail("bind: " + socket->errorString().toUtf8());
    connect(socket.get(), &QUdpSocket::readyRead, this, &Exchange::readDatagrams);
    if (settings.isServer)
        print("listening " + QByteArray::number(socket->localPort()));
}

void Exchange::readDatagrams()
{
    while (socket->hasPendingDatagrams()) {
        QByteArray datagram(socket->pendingDatagramSize(), Qt::Uninitialized);
        QHostAddress sender;
        quint16 port = 0;
        datagram.resize(qMax<qint64>(
            0, socket->readDatagram(datagram.data(), datagram.size(), &sender, &port)));
        if (std::exchange(awaitsClient, false))
            deadline.start(settings.limit);
        take(datagram, sender, port);
    }
}

void Exchange::create(QSslSocket::SslMode mode, const QHostAddress &peer, quint16 port)
{
    dtls = std::make_unique<QDtls>(mode);
    auto configuration = settings.configuration;
    configuration.setSessionTicket(session);
    dtls->setDtlsConfiguration(configuration);
    dtls->setPeer(peer, port, settings.isServer ? QString() : QStringLiteral("localhost"));
    if (settings.mtuHint)
        dtls->setMtuHint(settings.mtuHint);
    connect(dtls.get(), &QDtls::handshakeTimeout, this, [this] {
        if (!dtls->handleTimeout(socket.get()))
            failWith("timeout");
    });
    connect(dtls.get(), &QDtls::pskRequired, this, [this](QSslPreSharedKeyAuthenticator *key) {
        key->setIdentity("interop");
        key->setPreSharedKey(settings.preSharedKey);
    });
    isOver = false;
    received.clear();
    message = 0;
    returned = 0;
    clock.start();
}

void Exchange::advance(const QByteArray &datagram)
{
    if (!datagram.isEmpty())
        received << datagram;
    const bool ok = dtls->doHandshake(socket.get(), datagram);
    const bool isRefused = dtls->handshakeState() == QDtls::PeerVerificationFailed;
    if (isRefused || (!ok && dtls->handshakeState() != QDtls::HandshakeInProgress)) {
        const QByteArray why = "handshake: " + reason();
        if (isRefused)
            dtls->abortHandshake(socket.get());
        return fail(why);
    }
    if (dtls->handshakeState() == QDtls::HandshakeComplete)
        established();
}

void Exchange::established()
{
    const auto configuration = dtls->dtlsConfiguration();
    session = configuration.sessionTicket();
    print("handshake " + QByteArray::number(clock.elapsed()) + ' '
          + dtls->sessionCipher().name().toLatin1() + (isFull(received) ? " full " : " resumed ")
          + configuration.nextNegotiatedProtocol());
    // A CoAP client speaks first.
    if (!(settings.isCoap && settings.isServer))
        sendMessage();
}

void Exchange::sendMessage()
{
    if (message >= settings.sizes.size())
        return close();
    QByteArray text(settings.sizes[message], letters[message]);
    if (text.size() > 1)
        text.back() = '\n';
    again.start();
    if (dtls->writeDatagramEncrypted(socket.get(), settings.isCoap ? coap::ping() : text) < 0)
        failWith("write");
}

bool Exchange::decrypt(const QByteArray &datagram)
{
    const QByteArray text = dtls->decryptDatagram(socket.get(), datagram);
    const bool isOpen = dtls->isConnectionEncrypted();
    const QDtlsError error = dtls->dtlsError();
    if (settings.isCoap && !text.isEmpty())
        takeCoap(text);
    else
        takeText(text);
    if (isOpen)
        return true;
    if (error == QDtlsError::RemoteClosedConnectionError)
        return closedByPeer();
    failWith("decrypt");
    return true;
}

bool Exchange::closedByPeer()
{
    const bool isDone = message == settings.sizes.size();
    const bool isFirst = ended == 0;
    if (settings.restarts && settings.isServer)
        return false; // a new client
    if ((settings.closer == Closer::Peer && isDone) || (settings.resumes && isFirst))
        end("peer");
    else
        fail("closed early");
    return true;
}

void Exchange::takeText(const QByteArray &text)
{
    if (message >= settings.sizes.size())
        return;
    returned += text.count(letters[message]);
    const int size = settings.sizes[message];
    if (returned >= (size > 1 ? size - 1 : size))
        messageReturned();
}

void Exchange::takeCoap(const QByteArray &text)
{
    if (settings.isServer && dtls->writeDatagramEncrypted(socket.get(), coap::answerTo(text)) < 0)
        return failWith("write");
    if (message < settings.sizes.size() && (settings.isServer || coap::isReset(text)))
        messageReturned();
}

void Exchange::messageReturned()
{
    again.stop();
    print("echo " + QByteArray::number(settings.sizes[message]));
    ++message;
    returned = 0;
    sendMessage();
}

void Exchange::close()
{
    again.stop();
    if (settings.restarts && ended == 0) {
        // A client that restarts says nothing; a server notices later.
        ++ended;
        return settings.isServer ? void() : next();
    }
    if (settings.closer == Closer::Nobody)
        return end("nobody");
    if (settings.closer == Closer::Ours) {
        if (!dtls->shutdown(socket.get()))
            return failWith("shutdown");
        return end("ours");
    }
    if (!settings.isCoap && dtls->writeDatagramEncrypted(socket.get(), closeRequest) < 0)
        failWith("write");
}

void Exchange::end(const char *closer)
{
    print("closed " + QByteArray(closer));
    if (++ended == settings.connections())
        ::_exit(0);
    isOver = true;
    next();
}

} // namespace interop
