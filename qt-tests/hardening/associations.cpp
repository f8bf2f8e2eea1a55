// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S11, S22, I5: one QDtls after another's end, and a client that starts again from the same port.
#include "cases.h"
#include "settings.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtNetwork/QSslCipher>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

namespace hardening {

class Associations : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S11_peer_chain_after_remote_close",
                "after a remote close, the next handshake reports the next peer's chain")
    Q_CLASSINFO("S11_close_after_remote_close",
                "after a remote close and a new handshake, shutdown is sent again")
    Q_CLASSINFO("S11_state_after_remote_close",
                "after a remote close there is no session cipher or protocol")
    Q_CLASSINFO("S22_restarted_client_is_asked_for_a_cookie",
                "a ClientHello on a connection is answered with HelloVerifyRequest")
    Q_CLASSINFO("S22_old_association_is_kept", "until the cookie returns the old connection works")
    Q_CLASSINFO("S22_wrong_cookie", "a ClientHello with a wrong cookie leaves the connection alone")
    Q_CLASSINFO("S22_restarted_client_is_reported",
                "a ClientHello with the right cookie ends the connection as closed by the peer")
    Q_CLASSINFO("S22_restarted_client_connects",
                "verifier and a new QDtls take the restarted client from there")
    Q_CLASSINFO("I5_replayed_hello",
                "the hello of the connection before, from the same port, does not end this one")

private slots:
    void S11_peer_chain_after_remote_close();
    void S11_close_after_remote_close();
    void S11_state_after_remote_close();
    void S22_restarted_client_is_asked_for_a_cookie();
    void S22_old_association_is_kept();
    void S22_wrong_cookie();
    void S22_restarted_client_is_reported();
    void S22_restarted_client_connects();
    void I5_replayed_hello();
};

namespace {

const Registered<Associations> registration;

// An established connection whose server verifies cookies, and a client that restarts: a new QDtls
// on the same socket. `old` is the client before its restart.
struct Restart {
    Restart()
    {
        auto configuration = serverConfiguration();
        configuration.setDtlsCookieVerificationEnabled(true);
        link.server.setConfiguration(configuration);
    }

    bool verify(const QByteArray &hello) { return link.server.verify(verifier, hello); }

    // Pass hellos through the verifier until one starts the server's handshake; then the rest.
    bool connect()
    {
        QByteArray hello = nextHello();
        if (!verify(hello)) {
            link.client.deliver();
            // On a slow machine the client resends its first hello before it sends the second.
            const auto hellos = takeDatagrams(link.server.socket);
            hello = hellos.value(hellos.size() - 1);
            if (!verify(hello))
                return false;
        }
        verified = hello;
        link.server.process(hello);
        link.exchange();
        return link.client.isComplete() && link.server.isComplete();
    }

    bool establish() { return link.start() && connect(); }

    // The restarted client's first hello.
    QByteArray restart()
    {
        old = std::move(link.client.dtls);
        link.client.renew();
        link.start();
        return nextHello();
    }

    // The server application hands what comes from this peer to its connection.
    QByteArray serverDecrypts(const QByteArray &datagram)
    {
        return link.server.dtls->decryptDatagram(&link.server.socket, datagram);
    }

    QByteArray nextHello() { return takeDatagrams(link.server.socket).value(0); }

    bool oldAssociationWorks()
    {
        old->writeDatagramEncrypted(&link.client.socket, "still here");
        return serverDecrypts(nextHello()) == "still here" && link.server.isComplete();
    }

    Loopback link;
    QDtlsClientVerifier verifier;
    std::unique_ptr<QDtls> old;
    QByteArray verified; // the hello with which the present connection began
};

// The server closes, and the client sees it.
#define VERIFY_REMOTE_CLOSE(link)                                                                  \
    QVERIFY((link).server.dtls->shutdown(&(link).server.socket));                                  \
    (link).exchange();                                                                             \
    QCOMPARE((link).client.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError)

} // namespace

void Associations::S11_peer_chain_after_remote_close()
{
    const Identity first = Identity::selfSigned("DNS:bob.example");
    const Identity second = Identity::selfSigned("DNS:bob.example");
    Loopback link(first);
    QSslConfiguration trusting = clientConfiguration(first);
    trusting.addCaCertificate(second.certificate);
    link.client.setConfiguration(trusting);
    VERIFY_HANDSHAKE(link);
    QVERIFY(link.client.dtls->dtlsConfiguration().peerCertificateChain().value(0)
            == first.certificate);
    VERIFY_REMOTE_CLOSE(link);

    link.server.setConfiguration(serverConfiguration(second));
    VERIFY_HANDSHAKE(link);
    QVERIFY(link.client.dtls->dtlsConfiguration().peerCertificate() == second.certificate);
    QVERIFY(link.client.dtls->dtlsConfiguration().peerCertificateChain().value(0)
            == second.certificate);
}

void Associations::S11_close_after_remote_close()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    VERIFY_REMOTE_CLOSE(link);
    VERIFY_HANDSHAKE(link);
    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    link.exchange();
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);
}

void Associations::S11_state_after_remote_close()
{
    Loopback link(Identity::selfSigned("DNS:bob.example"));
    VERIFY_HANDSHAKE(link);
    VERIFY_REMOTE_CLOSE(link);
    const QDtls &client = *link.client.dtls;
    QCOMPARE(client.handshakeState(), QDtls::HandshakeNotStarted);
    QVERIFY(!client.isConnectionEncrypted());
    QVERIFY(client.sessionCipher().isNull());
    QCOMPARE(client.sessionProtocol(), QSsl::UnknownProtocol);
}

void Associations::S22_restarted_client_is_asked_for_a_cookie()
{
    Restart scene;
    QVERIFY2(scene.establish(), scene.link.report());
    QVERIFY(scene.serverDecrypts(scene.restart()).isEmpty());
    QVERIFY(scene.link.server.isComplete());
    QVERIFY(!wire::cookieIn(takeDatagrams(scene.link.client.socket).value(0)).isEmpty());
}

void Associations::S22_old_association_is_kept()
{
    Restart scene;
    QVERIFY2(scene.establish(), scene.link.report());
    QVERIFY(scene.serverDecrypts(scene.restart()).isEmpty());
    QVERIFY(scene.oldAssociationWorks());
}

void Associations::S22_wrong_cookie()
{
    Restart scene;
    QVERIFY2(scene.establish(), scene.link.report());
    const auto hello = wire::ClientHello::parse(scene.restart());
    QVERIFY(hello);
    const QByteArray wrong = hello->withCookie(QByteArray(32, 'x')).datagram();
    QVERIFY(scene.serverDecrypts(wrong).isEmpty());
    QVERIFY(scene.oldAssociationWorks());
}

void Associations::S22_restarted_client_is_reported()
{
    Restart scene;
    QVERIFY2(scene.establish(), scene.link.report());
    QVERIFY(scene.serverDecrypts(scene.restart()).isEmpty());
    QVERIFY(scene.link.client.deliver()); // the HelloVerifyRequest
    QVERIFY(scene.serverDecrypts(scene.nextHello()).isEmpty());
    QCOMPARE(scene.link.server.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);
    QCOMPARE(scene.link.server.dtls->handshakeState(), QDtls::HandshakeNotStarted);
    QVERIFY(!scene.link.server.dtls->isConnectionEncrypted());
}

void Associations::S22_restarted_client_connects()
{
    setRetransmission(100, 400);
    Restart scene;
    QVERIFY2(scene.establish(), scene.link.report());
    scene.serverDecrypts(scene.restart());
    QVERIFY(scene.link.client.deliver());
    scene.serverDecrypts(scene.nextHello());
    QVERIFY(!scene.link.server.dtls->isConnectionEncrypted());

    // That hello got no answer, so the client sends it again.
    Endpoint &client = scene.link.client;
    QSignalSpy timeout(client.dtls.get(), &QDtls::handshakeTimeout);
    QVERIFY(timeout.wait());
    QVERIFY(client.dtls->handleTimeout(&client.socket));
    scene.link.server.renew();
    QVERIFY2(scene.connect(), scene.link.report());
}

void Associations::I5_replayed_hello()
{
    Restart scene;
    QVERIFY2(scene.establish(), scene.link.report());
    const QByteArray recorded = scene.verified;
    for (Endpoint *side : { &scene.link.client, &scene.link.server }) {
        side->dtls->shutdown(&side->socket);
        side->renew();
    }
    takeDatagrams(scene.link.client.socket);
    takeDatagrams(scene.link.server.socket);
    QVERIFY2(scene.establish(), scene.link.report());
    for (int replay = 0; replay < 3; ++replay)
        QVERIFY(scene.serverDecrypts(recorded).isEmpty());
    QVERIFY2(scene.link.server.isComplete(), scene.link.report());
    scene.link.client.dtls->writeDatagramEncrypted(&scene.link.client.socket, "still here");
    QCOMPARE(scene.serverDecrypts(scene.nextHello()), QByteArray("still here"));
}

} // namespace hardening

#include "associations.moc"
