// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A1: slots that use OpenSSL, whose error queue QDtls uses as well, or that throw away the socket.
#include "cases.h"
#include "pair/identity.h"
#include "pair/loopback.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace hardening {

class UserCode : public QObject {
    Q_OBJECT
    Q_CLASSINFO("A1_errors_left_in_slots",
                "slots leave OpenSSL errors behind, and handshake and messages succeed")
    Q_CLASSINFO("A1_errors_cleared_in_slots",
                "slots clear OpenSSL's error queue, and handshake and messages succeed")
    Q_CLASSINFO("A1_cause_of_a_failure_survives_slots",
                "the reason of a failed handshake is the same whatever a slot does to the queue")
    Q_CLASSINFO("A1_another_handshake_in_pskRequired",
                "a slot of pskRequired connects another pair, and both are connected")
    Q_CLASSINFO("A1_socket_deleted_in_pskRequired",
                "the socket is deleted in a slot of pskRequired: an error, and the next try works")

private slots:
    void A1_errors_left_in_slots();
    void A1_errors_cleared_in_slots();
    void A1_cause_of_a_failure_survives_slots();
    void A1_another_handshake_in_pskRequired();
    void A1_socket_deleted_in_pskRequired();
};

namespace {

const Registered<UserCode> registration;

// As a program does that tries to read a certificate from something else.
void leaveErrors()
{
    for (int count = 0; count < 20; ++count) {
        BIO *junk = BIO_new_mem_buf("no certificate", -1);
        X509_free(PEM_read_bio_X509(junk, nullptr, nullptr, nullptr));
        BIO_free(junk);
    }
}

void clearErrors()
{
    ERR_clear_error();
}

void nothing() { }

// Runs `action` in every slot that is called while OpenSSL works.
void inEverySlot(Loopback &link, void (*action)())
{
    for (Endpoint *side : { &link.client, &link.server }) {
        QObject::connect(&side->socket, &QUdpSocket::bytesWritten, &side->socket, action);
        QObject::connect(side->dtls.get(), &QDtls::pskRequired, &side->socket, action);
    }
}

// Whether a pair connects and exchanges messages; else its report.
QByteArray connectedWith(void (*action)())
{
    Loopback link;
    inEverySlot(link, action);
    if (!link.handshake())
        return link.report();
    for (Endpoint *side : { &link.client, &link.server })
        side->dtls->writeDatagramEncrypted(&side->socket, "message");
    link.exchange();
    const bool arrived = link.client.plain == "message" && link.server.plain == "message";
    return arrived && link.client.isComplete() && link.server.isComplete() ? "connected"
                                                                           : link.report();
}

// How a handshake without a common cipher fails: the server has no certificate.
QByteArray failureWith(void (*action)())
{
    QSslConfiguration client = clientConfiguration();
    client.setCiphers(QStringLiteral("ECDHE-RSA-AES128-GCM-SHA256"));
    Loopback link(client, serverConfiguration(), {});
    inEverySlot(link, action);
    link.start();
    link.exchange();
    return link.server.report();
}

} // namespace

void UserCode::A1_errors_left_in_slots()
{
    QCOMPARE(connectedWith(leaveErrors), "connected");
}

void UserCode::A1_errors_cleared_in_slots()
{
    QCOMPARE(connectedWith(clearErrors), "connected");
}

void UserCode::A1_cause_of_a_failure_survives_slots()
{
    const QByteArray expected = failureWith(nothing);
    QVERIFY2(expected.contains("no shared cipher"), expected);
    QCOMPARE(failureWith(leaveErrors), expected);
    QCOMPARE(failureWith(clearErrors), expected);
}

void UserCode::A1_another_handshake_in_pskRequired()
{
    Loopback link;
    QByteArray inner;
    QObject::connect(link.client.dtls.get(), &QDtls::pskRequired, &link.client.socket,
                     [&] { inner = connectedWith(leaveErrors); });
    VERIFY_HANDSHAKE(link);
    QCOMPARE(inner, "connected");
}

void UserCode::A1_socket_deleted_in_pskRequired()
{
    Loopback link;
    auto socket = std::make_unique<QUdpSocket>();
    socket->bind(QHostAddress::LocalHost);
    QObject::connect(link.client.dtls.get(), &QDtls::pskRequired, &link.client.socket,
                     [&] { socket.reset(); });
    link.client.filter = [&](const QByteArray &datagram) -> QByteArrayList {
        if (socket)
            link.client.failed = !link.client.dtls->doHandshake(socket.get(), datagram);
        return {};
    };
    QVERIFY(link.start());
    link.exchange();
    QVERIFY(!socket);
    QVERIFY(link.client.failed);
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::UnderlyingSocketError);

    Loopback next;
    VERIFY_HANDSHAKE(next);
}

} // namespace hardening

#include "user_code.moc"
