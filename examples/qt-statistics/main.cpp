// SPDX-License-Identifier: MIT OR Apache-2.0
// qt-statistics PORT: shakes hands with the DTLS server on the loopback interface, and prints what
// qdtls-rs knows about it. It verifies nothing. With another TLS plugin it says so.
#include <qdtls_rs_qt.h>

#include <QCoreApplication>
#include <QDtls>
#include <QSslConfiguration>
#include <QTextStream>
#include <QUdpSocket>

using namespace Qt::StringLiterals;

static QTextStream &out()
{
    static QTextStream stream(stdout);
    return stream;
}

static void print(const QDtls &dtls)
{
    const auto statistics = QDtlsRs::statistics(dtls);
    if (!statistics) {
        out() << "this QDtls is not served by qdtls-rs" << Qt::endl;
        return;
    }
    out() << QDtlsRs::version() << Qt::endl;
    out() << "datagrams: " << statistics->datagrams_sent << " out, "
          << statistics->datagrams_received << " in" << Qt::endl;
    out() << "retransmissions: " << statistics->retransmissions << Qt::endl;
    out() << "handshake: " << statistics->handshake_us << " us" << Qt::endl;
    if (const auto parameters = QDtlsRs::parameters(dtls))
        out() << "extended master secret: " << parameters->extended_master_secret << Qt::endl;
    const QByteArray keys = QDtlsRs::exportKeyingMaterial(dtls, "EXPERIMENTAL-example", 20);
    out() << "Keying material: " << keys.toHex().toUpper() << Qt::endl;
}

static void printAlerts(const QDtls &dtls)
{
    const auto alerts = QDtlsRs::alerts(dtls);
    if (alerts && alerts->sent)
        out() << "alert sent: " << alerts->sent->level << ' ' << alerts->sent->description
              << Qt::endl;
}

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    if (argc != 2)
        return 2;
    QUdpSocket socket;
    socket.bind(QHostAddress::LocalHost);
    QDtls dtls(QSslSocket::SslClientMode);
    QSslConfiguration configuration = QSslConfiguration::defaultDtlsConfiguration();
    configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    dtls.setDtlsConfiguration(configuration);
    dtls.setPeer(QHostAddress::LocalHost, application.arguments().at(1).toUShort());

    QObject::connect(&dtls, &QDtls::handshakeTimeout, &dtls, [&] { dtls.handleTimeout(&socket); });
    QObject::connect(&socket, &QUdpSocket::readyRead, &dtls, [&] {
        while (socket.hasPendingDatagrams() && !dtls.isConnectionEncrypted()) {
            QByteArray datagram(socket.pendingDatagramSize(), Qt::Uninitialized);
            socket.readDatagram(datagram.data(), datagram.size());
            dtls.doHandshake(&socket, datagram);
        }
        if (dtls.isConnectionEncrypted()) {
            print(dtls);
            dtls.shutdown(&socket);
            printAlerts(dtls);
            application.quit();
        }
    });
    if (!dtls.doHandshake(&socket)) {
        out() << dtls.dtlsErrorString() << Qt::endl;
        return 1;
    }
    return application.exec();
}
