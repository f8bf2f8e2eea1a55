// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A client and a server QDtls, each on its own UDP socket on the loopback interface. The datagrams
// travel through the kernel; what arrives is handed to QDtls by the case, one exchange at a time,
// so a case can stop between two datagrams and a filter can drop, repeat, rewrite, join or forge
// them.
#pragma once

#include "error_names.h"
#include "identity.h"

#include <QtCore/QByteArrayList>
#include <QtNetwork/QDtls>
#include <QtNetwork/QHostAddress>
#include <QtNetwork/QSslConfiguration>
#include <QtNetwork/QSslPreSharedKeyAuthenticator>
#include <QtNetwork/QUdpSocket>

#include <functional>
#include <memory>

namespace hardening {

// What QDtls is given in place of a datagram that came in.
using Filter = std::function<QByteArrayList(const QByteArray &)>;

// Every datagram waiting on `socket`.
QByteArrayList takeDatagrams(QUdpSocket &socket);

// True as soon as a datagram waits on either socket, false when the wire between them is quiet. No
// event loop runs and, unlike QUdpSocket::waitForReadyRead, the sockets' own error is left alone.
bool waitForDatagram(const QUdpSocket &one, const QUdpSocket &other);

class Endpoint {
public:
    Endpoint(QSslSocket::SslMode mode, const QHostAddress &address);

    // A new QDtls of the same side and configuration, aimed at the same peer, on the same socket.
    void renew();

    void setConfiguration(const QSslConfiguration &configuration);
    void setPeer(const Endpoint &peer, const QString &verificationName = {});

    // Answer pskRequired; a second call replaces the first answer.
    void usePsk(const QByteArray &key, const QByteArray &identity = "client");

    // Hand everything that waits on the socket to QDtls; false when nothing waited.
    bool deliver();
    // Hand over one datagram: to the handshake or, once that is complete, to decryptDatagram.
    void process(const QByteArray &datagram);

    bool isComplete() const;
    // One line for a failed check: the last result, error and text of QDtls.
    QByteArray report() const;

    QUdpSocket socket;
    std::unique_ptr<QDtls> dtls;
    Filter filter;
    QByteArrayList received; // as they came, before the filter
    QByteArray plain; // all that decryptDatagram returned
    bool failed = false; // a doHandshake returned false

private:
    void create();

    QSslSocket::SslMode mode;
    QSslConfiguration configuration;
    QHostAddress peerAddress;
    quint16 peerPort = 0;
    QString peerName;
    QByteArray pskKey;
    QByteArray pskIdentity;
};

class Loopback {
public:
    // Pre-shared key: both sides know the same one, nobody has a certificate.
    explicit Loopback(const QHostAddress &address = QHostAddress::LocalHost);
    // The server has `identity`, which the client trusts, and is expected to be `verificationName`.
    explicit Loopback(const Identity &identity, const QString &verificationName = "bob.example",
                      const QHostAddress &address = QHostAddress::LocalHost);

    // The client's first doHandshake.
    bool start();
    // Deliver in both directions until the wire is quiet.
    void exchange();
    // start() and exchange(); true when both sides are complete.
    bool handshake();

    QByteArray report() const;

    Endpoint client;
    Endpoint server;
};

QSslConfiguration serverConfiguration(const Identity &identity = Identity());
QSslConfiguration clientConfiguration(const Identity &trusted = Identity());

} // namespace hardening

// A handshake that must succeed; says what each side reported when it does not.
#define VERIFY_HANDSHAKE(link) QVERIFY2((link).handshake(), (link).report())
