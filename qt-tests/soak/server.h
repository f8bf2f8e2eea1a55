// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QtCore/QElapsedTimer>
#include <QtNetwork/QDtls>
#include <QtNetwork/QDtlsClientVerifier>
#include <QtNetwork/QSslConfiguration>
#include <QtNetwork/QUdpSocket>

#include <map>
#include <memory>

namespace soak {

// A server on one socket, as an application has it: a verifier, a QDtls for each peer whose cookie
// was right, and a limit for peers that say nothing. It echoes what it receives.
class Server : public QObject {
public:
    explicit Server(const QSslConfiguration &configuration);

    bool listen();
    quint16 port() const { return socket.localPort(); }
    // Forgets the peers that have said nothing for some seconds.
    void sweep();

    std::size_t peerCount() const { return peers.size(); }
    quint64 completed = 0; // handshakes
    quint64 failed = 0;

private:
    struct Peer {
        std::unique_ptr<QDtls> dtls;
        QElapsedTimer quiet;
    };

    void read();
    void receive(const QByteArray &datagram, quint16 port);
    void accept(const QByteArray &hello, quint16 port);
    void proceed(quint16 port, const QByteArray &datagram);
    void echo(quint16 port, const QByteArray &datagram);
    void handleTimeout(quint16 port);
    void forget(quint16 port);

    QSslConfiguration configuration;
    QUdpSocket socket;
    QDtlsClientVerifier verifier;
    std::map<quint16, Peer> peers;
};

} // namespace soak
