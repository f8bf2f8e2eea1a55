// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S20, F17, A22: resumption by tickets, only when both sides enable it and only by the client that
// got one.
#include "cases.h"
#include "openssl_program.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtCore/QTemporaryDir>
#include <QtNetwork/QNetworkDatagram>
#include <QtNetwork/QSslCipher>
#include <QtTest/QTest>

#include <atomic>
#include <thread>
#include <vector>

namespace hardening {

class Resumption : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S20_no_unusable_ticket",
                "no session ticket is sent unless the server's configuration enables it")
    Q_CLASSINFO("S20_no_ticket_unless_the_client_asks",
                "a client finds no ticket unless its configuration enables it")
    Q_CLASSINFO("S20_resumption", "a session is resumed from QSslConfiguration::sessionTicket")
    Q_CLASSINFO("S20_ticket_after_the_end", "the ticket is there after its connection has ended")
    Q_CLASSINFO("S20_ticket_of_the_last_handshake",
                "a QDtls that shakes hands again resumes, whether or not its ticket was looked at")
    Q_CLASSINFO("S20_ticket_of_a_new_configuration",
                "a configuration that is set has no ticket of an earlier connection")
    Q_CLASSINFO(
        "S20_one_ticket_for_many",
        "many connections, also those that end without a close_notify, resume from one ticket")
    Q_CLASSINFO("S20_one_ticket_on_eight_threads", "the same on eight threads at a time")
    Q_CLASSINFO("S20_resumed_connection_works", "a resumed connection carries data both ways")
    Q_CLASSINFO("S20_ticket_of_another_configuration",
                "a server of another configuration answers a ticket with a full handshake")
    Q_CLASSINFO("S20_damaged_ticket", "a ticket that is none leads to a full handshake")
    Q_CLASSINFO("S20_no_resumption_with_a_verifying_server",
                "a server that verifies its clients sees their certificate each time")
    Q_CLASSINFO(
        "S20_no_way_round_a_verifying_server",
        "a ticket of a server that does not verify its clients is of no use with one that does")
    Q_CLASSINFO("S20_no_resumption_of_a_preshared_key",
                "a key that the server's application has withdrawn is of no use, ticket or not")
    Q_CLASSINFO("A22_no_peer_of_an_earlier_handshake",
                "a ticket alone says nothing about the peer of a handshake that fails")
    Q_CLASSINFO("S20_resumption_of_s_client", "`openssl s_client -sess_in` resumes at a server")
    Q_CLASSINFO("S20_resumption_at_s_server", "a client resumes at `openssl s_server`")
    Q_CLASSINFO("F17_resumed_session_keeps_its_verification",
                "a session is resumed with its verdict, although trust has changed since")
    Q_CLASSINFO("F17_full_handshake_verifies_again",
                "without the ticket, a client that trusts another authority refuses the server")

private slots:
    void S20_no_unusable_ticket();
    void S20_no_ticket_unless_the_client_asks();
    void S20_resumption();
    void S20_ticket_after_the_end();
    void S20_ticket_of_the_last_handshake();
    void S20_ticket_of_a_new_configuration();
    void S20_one_ticket_for_many();
    void S20_one_ticket_on_eight_threads();
    void S20_resumed_connection_works();
    void S20_ticket_of_another_configuration();
    void S20_damaged_ticket();
    void S20_no_resumption_with_a_verifying_server();
    void S20_no_way_round_a_verifying_server();
    void S20_no_resumption_of_a_preshared_key();
    void S20_resumption_of_s_client();
    void S20_resumption_at_s_server();
    void F17_resumed_session_keeps_its_verification();
    void F17_full_handshake_verifies_again();
    void A22_no_peer_of_an_earlier_handshake();
};

namespace {

const Registered<Resumption> registration;

Identity bob()
{
    return Identity::selfSigned("DNS:bob.example");
}

QSslConfiguration resumable(QSslConfiguration configuration)
{
    configuration.setSslOption(QSsl::SslOptionDisableSessionSharing, false);
    configuration.setSslOption(QSsl::SslOptionDisableSessionTickets, false);
    configuration.setSslOption(QSsl::SslOptionDisableSessionPersistence, false);
    return configuration;
}

// A link whose sides may both resume.
struct ResumableLink : Loopback {
    explicit ResumableLink(const Identity &identity)
        : Loopback(identity)
    {
        client.setConfiguration(resumable(clientConfiguration(identity)));
        server.setConfiguration(resumable(serverConfiguration(identity)));
    }
};

// The configuration of the client's next connection, with its ticket.
QSslConfiguration learned(const Loopback &link)
{
    return link.client.dtls->dtlsConfiguration();
}

// Both sides start again, the client with `configuration`.
void renew(Loopback &link, const QSslConfiguration &configuration)
{
    for (Endpoint *endpoint : { &link.client, &link.server }) {
        endpoint->renew();
        endpoint->received.clear();
        endpoint->plain.clear();
    }
    link.client.setConfiguration(configuration);
}

bool sent(const Endpoint &receiver, wire::HandshakeType type)
{
    return wire::handshakeTypes(receiver.received).contains(type);
}

// An abbreviated handshake shows no certificate (RFC 5246, 7.3).
bool wasResumed(const Loopback &link)
{
    return !sent(link.client, wire::Certificate);
}

// The client trusts `server` and has a certificate of its own.
QSslConfiguration identified(const Identity &server, const Identity &client)
{
    QSslConfiguration configuration = resumable(clientConfiguration(server));
    configuration.setLocalCertificate(client.certificate);
    configuration.setPrivateKey(client.key);
    return configuration;
}

QSslConfiguration verifying(const Identity &server, const Identity &client)
{
    QSslConfiguration configuration = resumable(serverConfiguration(server));
    configuration.setPeerVerifyMode(QSslSocket::VerifyPeer);
    configuration.setCaCertificates({ client.certificate });
    return configuration;
}

// A handshake with s_client, which ends its connection afterwards.
bool serve(const Identity &identity, OpenSslProgram &client, const QStringList &arguments)
{
    Endpoint server(QSslSocket::SslServerMode, QHostAddress::LocalHost);
    server.setConfiguration(resumable(serverConfiguration(identity)));
    client.startClient(server.socket.localPort(), arguments);
    if (!QTest::qWaitFor([&] { return server.socket.hasPendingDatagrams(); }, patienceMs))
        return false;
    const QNetworkDatagram hello = server.socket.receiveDatagram();
    server.dtls->setPeer(hello.senderAddress(), quint16(hello.senderPort()));
    server.process(hello.data());
    const auto isDone = [&] {
        server.deliver();
        return server.isComplete() && client.output().contains("Verify return code");
    };
    return QTest::qWaitFor(isDone, patienceMs) && client.endClient();
}

// A handshake with s_server, ended by the client.
bool connectTo(const OpenSslProgram &server, Endpoint &client)
{
    client.received.clear();
    client.dtls->setPeer(QHostAddress::LocalHost, server.port(), "bob.example");
    client.dtls->doHandshake(&client.socket);
    const auto isDone = [&] {
        client.deliver();
        return client.isComplete();
    };
    return QTest::qWaitFor(isDone, patienceMs);
}

} // namespace

void Resumption::S20_no_unusable_ticket()
{
    const Identity identity = bob();
    Loopback link(identity);
    link.client.setConfiguration(resumable(clientConfiguration(identity)));
    VERIFY_HANDSHAKE(link);
    QVERIFY(!sent(link.client, wire::NewSessionTicket));
    QVERIFY(learned(link).sessionTicket().isEmpty());
}

void Resumption::S20_no_ticket_unless_the_client_asks()
{
    const Identity identity = bob();
    Loopback link(identity);
    link.server.setConfiguration(resumable(serverConfiguration(identity)));
    VERIFY_HANDSHAKE(link);
    QVERIFY(!sent(link.client, wire::NewSessionTicket));
    QVERIFY(learned(link).sessionTicket().isEmpty());

    renew(link, learned(link));
    VERIFY_HANDSHAKE(link);
    QVERIFY(!wasResumed(link));
}

void Resumption::S20_resumption()
{
    const Identity identity = bob();
    ResumableLink link(identity);
    VERIFY_HANDSHAKE(link);
    QVERIFY(!wasResumed(link));
    QVERIFY(sent(link.client, wire::NewSessionTicket));
    QVERIFY(!learned(link).sessionTicket().isEmpty());
    QVERIFY(learned(link).sessionTicketLifeTimeHint() > 0);

    renew(link, learned(link));
    VERIFY_HANDSHAKE(link);
    QVERIFY(wasResumed(link));
    QCOMPARE(learned(link).peerCertificate(), identity.certificate);
}

void Resumption::S20_ticket_after_the_end()
{
    const Identity identity = bob();
    ResumableLink link(identity);
    VERIFY_HANDSHAKE(link);
    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    QVERIFY(!learned(link).sessionTicket().isEmpty());

    renew(link, learned(link));
    VERIFY_HANDSHAKE(link);
    QVERIFY(wasResumed(link));
    QCOMPARE(learned(link).peerCertificate(), identity.certificate);
}

void Resumption::S20_ticket_of_the_last_handshake()
{
    for (const bool looksAtIt : { true, false }) {
        ResumableLink link(bob());
        VERIFY_HANDSHAKE(link);
        if (looksAtIt)
            QVERIFY(!learned(link).sessionTicket().isEmpty());
        QVERIFY(link.client.dtls->shutdown(&link.client.socket));
        takeDatagrams(link.server.socket);
        link.server.renew();
        link.client.received.clear();
        VERIFY_HANDSHAKE(link);
        QVERIFY(wasResumed(link));
    }
}

void Resumption::S20_ticket_of_a_new_configuration()
{
    const Identity identity = bob();
    ResumableLink link(identity);
    VERIFY_HANDSHAKE(link);
    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    QVERIFY(link.client.dtls->setDtlsConfiguration(resumable(clientConfiguration(identity))));
    QVERIFY(learned(link).sessionTicket().isEmpty());
}

void Resumption::S20_one_ticket_for_many()
{
    ResumableLink link(bob());
    VERIFY_HANDSHAKE(link);
    const QSslConfiguration configuration = learned(link);
    for (const bool saysGoodbye : { false, true, false, true }) {
        renew(link, configuration);
        VERIFY_HANDSHAKE(link);
        QVERIFY(wasResumed(link));
        QCOMPARE(learned(link).sessionTicket(), configuration.sessionTicket());
        if (saysGoodbye)
            QVERIFY(link.client.dtls->shutdown(&link.client.socket));
        takeDatagrams(link.server.socket);
    }
}

void Resumption::S20_one_ticket_on_eight_threads()
{
    constexpr int connections = 10;
    const Identity identity = bob();
    ResumableLink first(identity);
    VERIFY_HANDSHAKE(first);
    const QSslConfiguration configuration = learned(first);
    std::atomic<int> resumed = 0;
    const auto connect = [&] {
        for (int i = 0; i < connections; ++i) {
            ResumableLink link(identity);
            link.client.setConfiguration(configuration);
            resumed += link.handshake() && wasResumed(link)
                && learned(link).sessionTicket() == configuration.sessionTicket();
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back(connect);
    for (std::thread &thread : threads)
        thread.join();
    QCOMPARE(resumed.load(), 8 * connections);
}

void Resumption::S20_resumed_connection_works()
{
    ResumableLink link(bob());
    VERIFY_HANDSHAKE(link);
    renew(link, learned(link));
    VERIFY_HANDSHAKE(link);
    QVERIFY(wasResumed(link));
    link.client.dtls->writeDatagramEncrypted(&link.client.socket, "to the server");
    link.server.dtls->writeDatagramEncrypted(&link.server.socket, "to the client");
    link.exchange();
    QCOMPARE(link.server.plain, "to the server");
    QCOMPARE(link.client.plain, "to the client");
}

void Resumption::S20_ticket_of_another_configuration()
{
    const Identity identity = bob();
    ResumableLink link(identity);
    VERIFY_HANDSHAKE(link);

    QSslConfiguration other = resumable(serverConfiguration(identity));
    other.setPreSharedKeyIdentityHint("another");
    link.server.setConfiguration(other);
    renew(link, learned(link));
    VERIFY_HANDSHAKE(link);
    QVERIFY(!wasResumed(link));

    const Identity stranger = bob();
    QSslConfiguration trustingBoth = learned(link);
    trustingBoth.setCaCertificates({ identity.certificate, stranger.certificate });
    link.server.setConfiguration(resumable(serverConfiguration(stranger)));
    renew(link, trustingBoth);
    VERIFY_HANDSHAKE(link);
    QVERIFY(!wasResumed(link));
    QCOMPARE(learned(link).peerCertificate(), stranger.certificate);
}

void Resumption::S20_damaged_ticket()
{
    ResumableLink link(bob());
    VERIFY_HANDSHAKE(link);
    const QSslConfiguration good = learned(link);
    const QByteArray ticket = good.sessionTicket();
    for (const QByteArray &damaged : { QByteArray("no ticket"), ticket.chopped(1) }) {
        QSslConfiguration configuration = good;
        configuration.setSessionTicket(damaged);
        renew(link, configuration);
        VERIFY_HANDSHAKE(link);
        QVERIFY(!wasResumed(link));
    }
}

void Resumption::S20_no_resumption_with_a_verifying_server()
{
    const Identity server = bob();
    const Identity client = Identity::selfSigned("DNS:alice.example");
    Loopback link(server);
    link.server.setConfiguration(verifying(server, client));
    link.client.setConfiguration(identified(server, client));
    for (int handshake = 0; handshake < 2; ++handshake) {
        VERIFY_HANDSHAKE(link);
        QVERIFY(!sent(link.client, wire::NewSessionTicket));
        QVERIFY(sent(link.server, wire::Certificate));
        QCOMPARE(link.server.dtls->dtlsConfiguration().peerCertificate(), client.certificate);
        renew(link, learned(link));
    }
}

void Resumption::S20_no_way_round_a_verifying_server()
{
    const Identity server = bob();
    const Identity client = Identity::selfSigned("DNS:alice.example");
    ResumableLink link(server);
    VERIFY_HANDSHAKE(link);
    const QSslConfiguration nobody = learned(link);

    // The same server, which now asks for a client certificate.
    link.server.setConfiguration(verifying(server, client));
    renew(link, nobody);
    QVERIFY(!link.handshake());
    QVERIFY(!link.server.isComplete());

    QSslConfiguration somebody = identified(server, client);
    somebody.setSessionTicket(nobody.sessionTicket());
    renew(link, somebody);
    VERIFY_HANDSHAKE(link);
    QVERIFY(sent(link.server, wire::Certificate));
    QCOMPARE(link.server.dtls->dtlsConfiguration().peerCertificate(), client.certificate);
}

void Resumption::S20_no_resumption_of_a_preshared_key()
{
    const Identity identity = bob();
    for (const QSslConfiguration &server :
         { serverConfiguration(), serverConfiguration(identity) }) {
        Loopback link;
        QSslConfiguration client = resumable(clientConfiguration());
        client.setCiphers(QStringLiteral("PSK-AES128-GCM-SHA256"));
        link.client.setConfiguration(client);
        link.server.setConfiguration(resumable(server));
        VERIFY_HANDSHAKE(link);
        const QSslConfiguration resuming = link.client.dtls->dtlsConfiguration();

        link.client.renew();
        link.server.renew();
        link.client.setConfiguration(resuming);
        link.server.usePsk({});
        QVERIFY(!link.handshake());
        QVERIFY(!link.server.isComplete());
    }
}

void Resumption::A22_no_peer_of_an_earlier_handshake()
{
    ResumableLink link(bob());
    VERIFY_HANDSHAKE(link);
    renew(link, learned(link));
    QVERIFY(link.start());
    QVERIFY(!link.client.dtls->doHandshake(&link.client.socket, wire::plaintextAlert(2, 40)));
    QVERIFY(learned(link).peerCertificate().isNull());
    QVERIFY(learned(link).peerCertificateChain().isEmpty());
    QVERIFY(link.client.dtls->sessionCipher().isNull());
    QVERIFY(link.client.dtls->peerVerificationErrors().isEmpty());
}

void Resumption::S20_resumption_of_s_client()
{
    const Identity identity = bob();
    const QTemporaryDir directory;
    const QString session = directory.filePath("session.pem");
    OpenSslProgram first;
    QVERIFY2(serve(identity, first, { "-sess_out", session }), first.output());
    QVERIFY2(first.output().contains("New, "), first.output());

    OpenSslProgram second;
    QVERIFY2(serve(identity, second, { "-sess_in", session }), second.output());
    QVERIFY2(second.output().contains("Reused, "), second.output());
}

void Resumption::S20_resumption_at_s_server()
{
    const Identity identity = bob();
    OpenSslProgram server;
    QVERIFY2(server.startServer(identity), server.output());
    Endpoint client(QSslSocket::SslClientMode, QHostAddress::LocalHost);
    client.setConfiguration(resumable(clientConfiguration(identity)));
    QVERIFY2(connectTo(server, client), client.report());
    QVERIFY(sent(client, wire::Certificate));
    const QSslConfiguration resuming = client.dtls->dtlsConfiguration();
    QVERIFY(!resuming.sessionTicket().isEmpty());
    client.dtls->shutdown(&client.socket);

    Endpoint again(QSslSocket::SslClientMode, QHostAddress::LocalHost);
    again.setConfiguration(resuming);
    QVERIFY2(connectTo(server, again), again.report());
    QVERIFY(!sent(again, wire::Certificate));
    QCOMPARE(again.dtls->dtlsConfiguration().peerCertificate(), identity.certificate);
}

void Resumption::F17_resumed_session_keeps_its_verification()
{
    ResumableLink link(bob());
    VERIFY_HANDSHAKE(link);
    QSslConfiguration changed = learned(link);
    changed.setCaCertificates({ Identity::selfSigned("DNS:eve.example").certificate });
    changed.setPeerVerifyDepth(1);
    renew(link, changed);
    VERIFY_HANDSHAKE(link);
    QVERIFY(wasResumed(link));
    QVERIFY(link.client.dtls->peerVerificationErrors().isEmpty());
}

void Resumption::F17_full_handshake_verifies_again()
{
    ResumableLink link(bob());
    VERIFY_HANDSHAKE(link);
    QSslConfiguration changed = learned(link);
    changed.setCaCertificates({ Identity::selfSigned("DNS:eve.example").certificate });
    changed.setSessionTicket({});
    renew(link, changed);
    QVERIFY(!link.handshake());
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::PeerVerificationError);
}

} // namespace hardening

#include "resumption.moc"
