// SPDX-License-Identifier: MIT OR Apache-2.0
//
// QDtls and QDtlsClientVerifier as an application uses them: a QDtls for each connection, made from
// a configuration that all connections of its side share, or from one of its own. The connections
// are not pair::Endpoint: making a socket for each and keeping what it receives would be measured
// along with QDtls.
#pragma once

#include "pair/identity.h"
#include "settings.h"

#include <QtCore/QByteArray>
#include <QtCore/QThread>
#include <QtNetwork/QDtls>
#include <QtNetwork/QDtlsClientVerifier>
#include <QtNetwork/QHostAddress>
#include <QtNetwork/QSslCipher>
#include <QtNetwork/QSslConfiguration>
#include <QtNetwork/QUdpSocket>

#include <memory>
#include <string>
#include <utility>

namespace bench {

class QtStack {
public:
    using Datagram = QByteArray;

    class Connection {
    public:
        Connection(QtStack &stack, QSslSocket::SslMode mode, uint16_t port);

        void receive(const Datagram &datagram) { dtls.doHandshake(&socket, datagram); }
        bool isComplete() const { return dtls.isConnectionEncrypted(); }
        void write(const QByteArray &plain) { dtls.writeDatagramEncrypted(&socket, plain); }
        size_t read(const Datagram &datagram)
        {
            return size_t(dtls.decryptDatagram(&socket, datagram).size());
        }
        std::string cipher() const { return dtls.sessionCipher().name().toStdString(); }

    protected:
        QDtls dtls;
        QUdpSocket &socket;
    };

    class Client : public Connection {
    public:
        Client(QtStack &stack, uint16_t port);
        ~Client();
        void start() { dtls.doHandshake(&socket); }

    private:
        QtStack &stack;
    };

    using Server = Connection;

    // QUdpSocket wants one of Qt's.
    class Thread {
    public:
        template <typename Work>
        explicit Thread(Work work)
            : thread(QThread::create(std::move(work)))
        {
            thread->start();
        }
        void join() { thread->wait(); }

    private:
        std::unique_ptr<QThread> thread;
    };

    explicit QtStack(const Settings &settings);
    // Another one with the same configurations.
    QtStack(const QtStack &other);

    bool verify(const Datagram &hello, uint16_t port)
    {
        return verifier.verifyClient(&serverSocket, hello, address, port);
    }
    std::unique_ptr<Server> accept(const Datagram &hello, uint16_t port);

private:
    void bind();

    const QHostAddress address = QHostAddress::LocalHost;
    QDtlsClientVerifier verifier;
    QUdpSocket serverSocket;
    QUdpSocket clientSocket;
    // As an application makes it, from what it has loaded once.
    QSslConfiguration makeConfiguration(QSslSocket::SslMode mode) const;
    QSslConfiguration configurationFor(QSslSocket::SslMode mode) const;

    const Settings settings;
    const pair::Identity identity;
    const QList<QSslCertificate> systemCas;
    QSslConfiguration serverConfiguration;
    QSslConfiguration clientConfiguration;
};

} // namespace bench
