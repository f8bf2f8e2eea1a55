// SPDX-License-Identifier: MIT OR Apache-2.0
#include "dtlsendpoint.h"

#include <QNetworkDatagram>
#include <QSslCertificate>
#include <QSslCipher>
#include <QSslError>
#include <QSslPreSharedKeyAuthenticator>

using namespace Qt::StringLiterals;

static QString peerText(const QDtls &dtls)
{
    return Peer { dtls.peerAddress(), dtls.peerPort() }.text();
}

static QString protocolText(QSsl::SslProtocol protocol)
{
    return protocol == QSsl::DtlsV1_2 ? u"DTLS 1.2"_s
                                      : u"QSsl::SslProtocol(%1)"_s.arg(int(protocol));
}

DtlsEndpoint::DtlsEndpoint(const QString &name, const Credentials &credentials)
    : Actor(name)
    , m_credentials(credentials)
{
    connect(&m_socket, &QUdpSocket::readyRead, this, &DtlsEndpoint::readPendingDatagrams);
    connect(&m_socket, &QUdpSocket::errorOccurred, this,
            [this] { emit failed(u"UDP socket: "_s + m_socket.errorString()); });
}

std::unique_ptr<QDtls> DtlsEndpoint::makeDtls(QSslSocket::SslMode mode, const Peer &peer)
{
    auto dtls = std::make_unique<QDtls>(mode);
    if (!dtls->setPeer(peer.address, peer.port)
        || !dtls->setDtlsConfiguration(m_credentials.configuration))
        reportFailure(*dtls, u"configuration"_s);

    QDtls *const association = dtls.get();
    connect(association, &QDtls::handshakeTimeout, this,
            [this, association] { retransmit(*association); });
    connect(association, &QDtls::pskRequired, this,
            [this, association](QSslPreSharedKeyAuthenticator *authenticator) {
                providePreSharedKey(*association, *authenticator);
            });
    return dtls;
}

void DtlsEndpoint::continueHandshake(QDtls &dtls, const QByteArray &datagram)
{
    if (!dtls.doHandshake(&m_socket, datagram)) {
        reportFailure(dtls, u"handshake"_s);
        if (dtls.handshakeState() == QDtls::PeerVerificationFailed)
            dtls.abortHandshake(&m_socket);
    } else if (dtls.handshakeState() == QDtls::HandshakeComplete) {
        reportHandshake(dtls);
    }
}

QByteArray DtlsEndpoint::decrypt(QDtls &dtls, const QByteArray &datagram)
{
    const QByteArray text = dtls.decryptDatagram(&m_socket, datagram);
    if (dtls.dtlsError() == QDtlsError::RemoteClosedConnectionError)
        emit happened(Event::CloseNotifyReceived, {}, peerText(dtls));
    else if (dtls.dtlsError() != QDtlsError::NoError)
        reportFailure(dtls, u"decryptDatagram"_s);
    return text;
}

void DtlsEndpoint::send(QDtls &dtls, const QByteArray &text, Event event)
{
    if (dtls.writeDatagramEncrypted(&m_socket, text) == text.size())
        emit happened(event, QString::fromUtf8(text).trimmed(), peerText(dtls));
    else
        reportFailure(dtls, u"writeDatagramEncrypted"_s);
}

void DtlsEndpoint::close(QDtls &dtls)
{
    if (dtls.shutdown(&m_socket))
        emit happened(Event::CloseNotifySent, {}, peerText(dtls));
    else
        reportFailure(dtls, u"shutdown"_s);
}

void DtlsEndpoint::reportFailure(const QDtls &dtls, const QString &operation)
{
    QString why = u"%1 with %2: QDtlsError %3, %4"_s.arg(
        operation, peerText(dtls), QString::number(int(dtls.dtlsError())), dtls.dtlsErrorString());
    for (const QSslError &error : dtls.peerVerificationErrors())
        why += u"; "_s + error.errorString();
    emit failed(why);
}

void DtlsEndpoint::readPendingDatagrams()
{
    while (m_socket.hasPendingDatagrams()) {
        const QNetworkDatagram datagram = m_socket.receiveDatagram();
        if (!datagram.data().isEmpty())
            handleDatagram(datagram.data(),
                           { datagram.senderAddress(), quint16(datagram.senderPort()) });
    }
}

void DtlsEndpoint::retransmit(QDtls &dtls)
{
    if (dtls.handshakeState() != QDtls::HandshakeInProgress)
        return;
    if (dtls.handleTimeout(&m_socket))
        emit happened(Event::FlightRetransmitted, {}, peerText(dtls));
    else
        reportFailure(dtls, u"handleTimeout"_s);
}

void DtlsEndpoint::providePreSharedKey(const QDtls &dtls,
                                       QSslPreSharedKeyAuthenticator &authenticator)
{
    if (dtls.sslMode() == QSslSocket::SslClientMode)
        authenticator.setIdentity("qt-echo client");
    authenticator.setPreSharedKey(m_credentials.preSharedKey);
    emit happened(Event::PreSharedKeyRequired,
                  u"hint '%1', identity '%2'"_s.arg(QString::fromUtf8(authenticator.identityHint()),
                                                    QString::fromUtf8(authenticator.identity())),
                  peerText(dtls));
}

void DtlsEndpoint::reportHandshake(const QDtls &dtls)
{
    emit happened(Event::HandshakeComplete,
                  protocolText(dtls.sessionProtocol()) + u", "_s + dtls.sessionCipher().name(),
                  peerText(dtls));

    const QSslConfiguration configuration = dtls.dtlsConfiguration();
    if (configuration.peerVerifyMode() == QSslSocket::VerifyPeer)
        emit happened(Event::PeerCertificateVerified,
                      u"%1 as '%2'"_s.arg(configuration.peerCertificate().subjectDisplayName(),
                                          dtls.peerVerificationName()),
                      peerText(dtls));
}
