// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QtCore/QElapsedTimer>
#include <QtNetwork/QDtls>
#include <QtNetwork/QDtlsClientVerifier>
#include <QtNetwork/QSslConfiguration>
#include <QtNetwork/QUdpSocket>

#include <map>
#include <memory>

namespace pair {

// A server on one socket of the loopback interface, as Qt's example has it: a verifier, and a QDtls
// for each peer whose cookie was right.
class Server : public QObject {
public:
    explicit Server(QSslConfiguration configuration);

    bool bind();
    quint16 port() const { return socket.localPort(); }

protected:
    struct Peer {
        std::unique_ptr<QDtls> dtls;
        QElapsedTimer quiet; // since its hello or last message
    };
    using Peers = std::map<quint16, Peer>;

    // Before its handshake.
    virtual void prepare(QDtls &) { }
    virtual void onCompleted(quint16 port) = 0;
    // It begins again with its next hello.
    virtual void onFailed(quint16 port, const QDtls &dtls) = 0;
    virtual void onMessage(QDtls &, const QByteArray &) { }

    void forget(Peers::iterator peer);

    QUdpSocket socket;
    Peers peers;

private:
    void read();
    void receive(const QByteArray &datagram, quint16 port);
    void accept(const QByteArray &hello, quint16 port);
    void proceed(Peers::iterator peer, const QByteArray &datagram);
    void decrypt(Peers::iterator peer, const QByteArray &datagram);
    void handleTimeout(quint16 port);
    void fail(Peers::iterator peer);

    QSslConfiguration configuration;
    QDtlsClientVerifier verifier;
};

} // namespace pair
