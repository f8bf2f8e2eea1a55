// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A client and a server QDtls, each on a UDP socket of its own on the loopback interface. The
// kernel carries the datagrams. The program hands them to QDtls, one exchange at a time: it can
// stop between two datagrams, and a filter can drop, repeat, rewrite, join or forge them.
#pragma once

#include "error_names.h"
#include "identity.h"

#include <QtCore/QByteArrayList>
#include <QtNetwork/QDtls>
#include <QtNetwork/QDtlsClientVerifier>
#include <QtNetwork/QHostAddress>
#include <QtNetwork/QSslPreSharedKeyAuthenticator>
#include <QtNetwork/QUdpSocket>

#include <functional>
#include <memory>
#include <optional>

namespace pair {

// What QDtls gets in place of a datagram that came in.
using Filter = std::function<QByteArrayList(const QByteArray &)>;

// Every datagram that waits on the socket.
QByteArrayList takeDatagrams(QUdpSocket &socket);
// The next datagram that comes to the socket; nothing when the wire is quiet.
std::optional<QByteArray> nextDatagram(QUdpSocket &socket);

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

    // Show the peer's hello to a verifier, which answers on this socket.
    bool verify(QDtlsClientVerifier &verifier, const QByteArray &hello);

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
    // With a pre-shared key on both sides, and no certificate.
    explicit Loopback(const QHostAddress &address = QHostAddress::LocalHost);
    // The server has `identity`, which the client trusts, and the client expects
    // `verificationName`.
    explicit Loopback(const Identity &identity, const QString &verificationName = "bob.example",
                      const QHostAddress &address = QHostAddress::LocalHost);
    Loopback(const QSslConfiguration &clientSide, const QSslConfiguration &serverSide,
             const QString &verificationName,
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

} // namespace pair
