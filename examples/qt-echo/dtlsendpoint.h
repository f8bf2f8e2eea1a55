// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "actor.h"
#include "credentials.h"
#include "peer.h"

#include <QDtls>
#include <QUdpSocket>

#include <memory>

class QSslPreSharedKeyAuthenticator;

/// What a DTLS server and a DTLS client do alike: QDtls takes no socket of its own, so the
/// application reads every datagram and hands it to the association it belongs to.
class DtlsEndpoint : public Actor {
    Q_OBJECT

protected:
    DtlsEndpoint(const QString &name, const Credentials &credentials);

    virtual void handleDatagram(const QByteArray &datagram, const Peer &sender) = 0;

    /// An association that retransmits when told and answers for the pre-shared key.
    std::unique_ptr<QDtls> makeDtls(QSslSocket::SslMode mode, const Peer &peer);

    /// Takes the handshake one flight further (the client's first flight needs no datagram).
    void continueHandshake(QDtls &dtls, const QByteArray &datagram = {});

    /// The text of an application data record; empty for a record that has none.
    QByteArray decrypt(QDtls &dtls, const QByteArray &datagram);

    void send(QDtls &dtls, const QByteArray &text, Event event);
    void close(QDtls &dtls);

    void reportFailure(const QDtls &dtls, const QString &operation);

    QUdpSocket m_socket;

private:
    void readPendingDatagrams();
    void retransmit(QDtls &dtls);
    void providePreSharedKey(const QDtls &dtls, QSslPreSharedKeyAuthenticator &authenticator);
    void reportHandshake(const QDtls &dtls);

    const Credentials m_credentials;
};
