// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "actor.h"
#include "credentials.h"
#include "peer.h"

#include <QDtls>
#include <QUdpSocket>

#include <memory>

class QSslPreSharedKeyAuthenticator;

/// The common part of a DTLS server and client. QDtls owns no socket: the application reads
/// every datagram and passes it to its association.
class DtlsEndpoint : public Actor {
    Q_OBJECT

protected:
    DtlsEndpoint(const QString &name, const Credentials &credentials);

    virtual void handleDatagram(const QByteArray &datagram, const Peer &sender) = 0;

    /// Creates an association that retransmits on timeout and supplies the pre-shared key.
    std::unique_ptr<QDtls> makeDtls(QSslSocket::SslMode mode, const Peer &peer);

    /// Advances the handshake by one flight; the client's first flight needs no datagram.
    void continueHandshake(QDtls &dtls, const QByteArray &datagram = {});

    /// Decrypts a datagram; returns an empty text if it contains no application data.
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
