// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S4, S7, S20, S21, S26, F17: verification of the peer, and negotiation with it.
#include "cases.h"
#include "openssl_peer.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtNetwork/QSslCipher>
#include <QtNetwork/QSslDiffieHellmanParameters>
#include <QtNetwork/QSslError>
#include <QtTest/QTest>

namespace hardening {

class Peers : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S4_server_renegotiates", "a server cannot renegotiate to another certificate")
    Q_CLASSINFO("S4_client_renegotiates", "a client cannot renegotiate")
    Q_CLASSINFO("S7_abort_after_failed_verification",
                "the peer gets an alert when verification failed")
    Q_CLASSINFO("S20_server_name", "the verification name is sent as server name")
    Q_CLASSINFO("S20_no_server_name_for_an_address", "an address is not sent as server name")
    Q_CLASSINFO("S20_negotiated_protocol_of_client",
                "the client's configuration tells ALPN's result")
    Q_CLASSINFO("S20_negotiated_protocol_of_server",
                "the server's configuration tells ALPN's result")
    Q_CLASSINFO("S21_address_in_certificate",
                "without a name, the peer's address is matched against the certificate")
    Q_CLASSINFO("S21_address_not_in_certificate",
                "without a name, a certificate without the peer's address is a mismatch")
    Q_CLASSINFO("S21_common_name_that_is_no_name",
                "without a name, a common name that is no host name is a mismatch too")
    Q_CLASSINFO("S26_protocol_is_known", "the negotiated protocol is one Qt has a name for")
    Q_CLASSINFO("F17_no_common_application_protocol",
                "a handshake goes on without ALPN if there is no common protocol")
    Q_CLASSINFO("F17_negotiated_parameters_are_cleared",
                "after a shutdown neither side has a cipher or protocol")
    Q_CLASSINFO("F17_invalid_dh_parameters_of_a_client",
                "Diffie-Hellman parameters, which only a server uses, do not fail a client")
    Q_CLASSINFO("F17_invalid_dh_parameters_of_a_server",
                "a server with invalid Diffie-Hellman parameters fails with a reason")

private slots:
    void S4_server_renegotiates();
    void S4_client_renegotiates();
    void S7_abort_after_failed_verification();
    void S20_server_name();
    void S20_no_server_name_for_an_address();
    void S20_negotiated_protocol_of_client();
    void S20_negotiated_protocol_of_server();
    void S21_address_in_certificate();
    void S21_address_not_in_certificate();
    void S21_common_name_that_is_no_name();
    void S26_protocol_is_known();
    void F17_no_common_application_protocol();
    void F17_negotiated_parameters_are_cleared();
    void F17_invalid_dh_parameters_of_a_client();
    void F17_invalid_dh_parameters_of_a_server();
};

namespace {

const Registered<Peers> registration;

Identity bob()
{
    return Identity::selfSigned("DNS:bob.example");
}

// The server name extension of a client that expects `name`.
QByteArray serverNameSentFor(const QString &name)
{
    Loopback link(bob(), name);
    link.start();
    const auto hello = wire::ClientHello::parse(takeDatagrams(link.server.socket).value(0));
    return hello ? hello->extension(wire::ServerName) : QByteArray();
}

QSslConfiguration withProtocols(QSslConfiguration configuration, const QList<QByteArray> &protocols)
{
    configuration.setAllowedNextProtocols(protocols);
    return configuration;
}

// A handshake of both sides with ALPN. They agree on "coap", the first choice of the server.
struct NegotiatedLink : Loopback {
    explicit NegotiatedLink(const Identity &identity)
        : Loopback(identity)
    {
        client.setConfiguration(withProtocols(clientConfiguration(identity), { "h2", "coap" }));
        server.setConfiguration(withProtocols(serverConfiguration(identity), { "coap" }));
    }
};

#define VERIFY_NEGOTIATED_COAP(endpoint)                                                           \
    QCOMPARE((endpoint).dtls->dtlsConfiguration().nextProtocolNegotiationStatus(),                 \
             QSslConfiguration::NextProtocolNegotiationNegotiated);                                \
    QCOMPARE((endpoint).dtls->dtlsConfiguration().nextNegotiatedProtocol(), "coap")

// The client finds nothing wrong but the name.
#define VERIFY_MISMATCH(link)                                                                      \
    QVERIFY(!(link).handshake());                                                                  \
    QCOMPARE((link).client.dtls->dtlsError(), QDtlsError::PeerVerificationError);                  \
    QCOMPARE((link).client.dtls->peerVerificationErrors().size(), 1);                              \
    QCOMPARE((link).client.dtls->peerVerificationErrors().first().error(),                         \
             QSslError::HostNameMismatch)

} // namespace

void Peers::S4_server_renegotiates()
{
    const Identity trusted = bob();
    OpenSslPeer server(OpenSslPeer::Side::Server, trusted);
    Endpoint client(QSslSocket::SslClientMode, QHostAddress::LocalHost);
    client.setConfiguration(clientConfiguration(trusted));
    client.dtls->setPeer(QHostAddress::LocalHost, server.socket.localPort(), "bob.example");
    server.setPeer(client.socket);
    QVERIFY(client.dtls->doHandshake(&client.socket));
    exchange(server, client);
    QVERIFY2(client.isComplete() && server.isComplete(), client.report());
    QCOMPARE(server.finishedByPeer(), 1);

    server.renegotiate(Identity::selfSigned("DNS:eve.example"));
    exchange(server, client);
    QCOMPARE(server.finishedByPeer(), 1);
    server.send("from eve");
    exchange(server, client);
    QVERIFY(!client.isComplete() || client.plain.isEmpty()
            || client.dtls->dtlsConfiguration().peerCertificate() == trusted.certificate);
}

void Peers::S4_client_renegotiates()
{
    OpenSslPeer client(OpenSslPeer::Side::Client);
    Endpoint server(QSslSocket::SslServerMode, QHostAddress::LocalHost);
    server.setConfiguration(serverConfiguration(bob()));
    server.dtls->setPeer(QHostAddress::LocalHost, client.socket.localPort());
    client.setPeer(server.socket);
    client.advance();
    exchange(client, server);
    QVERIFY2(client.isComplete() && server.isComplete(), server.report());
    QCOMPARE(client.finishedByPeer(), 1);

    client.renegotiate();
    exchange(client, server);
    QCOMPARE(client.finishedByPeer(), 1);
}

void Peers::S7_abort_after_failed_verification()
{
    Loopback link(bob());
    link.client.setConfiguration(clientConfiguration(Identity::selfSigned("DNS:bob.example")));
    QVERIFY(!link.handshake());
    QCOMPARE(link.client.dtls->handshakeState(), QDtls::PeerVerificationFailed);
    QVERIFY2(link.server.isComplete(), link.server.report());

    QVERIFY(link.client.dtls->abortHandshake(&link.client.socket));
    QCOMPARE(link.client.dtls->handshakeState(), QDtls::HandshakeNotStarted);
    link.exchange();
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);
    QVERIFY(!link.server.dtls->isConnectionEncrypted());
}

void Peers::S20_server_name()
{
    // RFC 6066: a list of one, of type host_name
    QCOMPARE(serverNameSentFor("bob.example"),
             QByteArray("\x00\x0e\x00\x00\x0b", 5) + "bob.example");
}

void Peers::S20_no_server_name_for_an_address()
{
    QVERIFY(serverNameSentFor("127.0.0.1").isEmpty());
    QVERIFY(serverNameSentFor("::1").isEmpty());
}

void Peers::S20_negotiated_protocol_of_client()
{
    NegotiatedLink link(bob());
    VERIFY_HANDSHAKE(link);
    VERIFY_NEGOTIATED_COAP(link.client);
}

void Peers::S20_negotiated_protocol_of_server()
{
    NegotiatedLink link(bob());
    VERIFY_HANDSHAKE(link);
    VERIFY_NEGOTIATED_COAP(link.server);
}

void Peers::S21_address_in_certificate()
{
    Loopback link(Identity::selfSigned("IP:127.0.0.1"), {});
    VERIFY_HANDSHAKE(link);
}

void Peers::S21_address_not_in_certificate()
{
    Loopback link(Identity::selfSigned("DNS:bob.example,IP:127.0.0.2"), {});
    VERIFY_MISMATCH(link);
}

// Such a common name becomes empty in ASCII form, and then equals an empty name.
void Peers::S21_common_name_that_is_no_name()
{
    Loopback link(Identity::selfSigned("DNS:bob.example", "not a host name"), {});
    VERIFY_MISMATCH(link);
}

void Peers::S26_protocol_is_known()
{
    Loopback link;
    for (Endpoint *endpoint : { &link.client, &link.server }) {
        QSslConfiguration configuration = endpoint->dtls->dtlsConfiguration();
        configuration.setProtocol(QSsl::DtlsV1_2OrLater);
        endpoint->setConfiguration(configuration);
    }
    VERIFY_HANDSHAKE(link);
    QCOMPARE(link.client.dtls->sessionProtocol(), QSsl::DtlsV1_2);
    QCOMPARE(link.server.dtls->sessionProtocol(), QSsl::DtlsV1_2);
}

void Peers::F17_no_common_application_protocol()
{
    NegotiatedLink link(bob());
    link.client.setConfiguration(
        withProtocols(link.client.dtls->dtlsConfiguration(), { "h2", "mqtt" }));
    VERIFY_HANDSHAKE(link);
    for (const Endpoint *endpoint : { &link.client, &link.server }) {
        const QSslConfiguration configuration = endpoint->dtls->dtlsConfiguration();
        QCOMPARE(configuration.nextProtocolNegotiationStatus(),
                 QSslConfiguration::NextProtocolNegotiationNone);
        QVERIFY(configuration.nextNegotiatedProtocol().isEmpty());
    }
}

void Peers::F17_negotiated_parameters_are_cleared()
{
    NegotiatedLink link(bob());
    VERIFY_HANDSHAKE(link);
    VERIFY_NEGOTIATED_COAP(link.client);
    VERIFY_NEGOTIATED_COAP(link.server);
    QVERIFY(link.client.dtls->shutdown(&link.client.socket));
    link.exchange();
    for (const Endpoint *endpoint : { &link.client, &link.server }) {
        const QDtls &dtls = *endpoint->dtls;
        QVERIFY(dtls.sessionCipher().isNull());
        QCOMPARE(dtls.sessionProtocol(), QSsl::UnknownProtocol);
        QVERIFY(dtls.dtlsConfiguration().nextNegotiatedProtocol().isEmpty());
        QCOMPARE(dtls.dtlsConfiguration().nextProtocolNegotiationStatus(),
                 QSslConfiguration::NextProtocolNegotiationNone);
    }
}

void Peers::F17_invalid_dh_parameters_of_a_client()
{
    const auto invalid = QSslDiffieHellmanParameters::fromEncoded("junk", QSsl::Pem);
    QVERIFY(!invalid.isValid());
    Loopback link(bob());
    QSslConfiguration configuration = link.client.dtls->dtlsConfiguration();
    configuration.setDiffieHellmanParameters(invalid);
    link.client.setConfiguration(configuration);
    VERIFY_HANDSHAKE(link);
}

void Peers::F17_invalid_dh_parameters_of_a_server()
{
    Loopback link(bob());
    QSslConfiguration configuration = link.server.dtls->dtlsConfiguration();
    configuration.setDiffieHellmanParameters(
        QSslDiffieHellmanParameters::fromEncoded("junk", QSsl::Pem));
    link.server.setConfiguration(configuration);
    QVERIFY(!link.handshake());
    QVERIFY(link.server.failed);
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::TlsInitializationError);
    QVERIFY(!link.server.dtls->dtlsErrorString().isEmpty());
}

} // namespace hardening

#include "peers.moc"
