// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S5, S14: pre-shared keys that are too long, or not the same.
#include "cases.h"
#include "settings.h"
#include "pair/loopback.h"

#include <QtCore/QLoggingCategory>
#include <QtTest/QTest>

#include <algorithm>
#include <utility>

namespace hardening {

class Psk : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S5_overlong_key_of_client", "a client's key beyond the limit fails the handshake")
    Q_CLASSINFO("S5_overlong_key_of_server", "a server's key beyond the limit fails the handshake")
    Q_CLASSINFO("S5_overlong_identity", "an identity beyond the limit fails the handshake")
    Q_CLASSINFO("S5_different_overlong_keys",
                "two 600-byte keys that differ at the end do not connect")
    Q_CLASSINFO("S5_longest_key", "a key and identity of the greatest length connect")
    Q_CLASSINFO("S14_wrong_key_ends",
                "with different keys both sides report an error, in bounded time")

    Q_CLASSINFO("R18_events_are_debug_output",
                "a refused peer is a line with peer and reason, for who asks for debug output")
    Q_CLASSINFO("R18_log_line_of_a_refused_key",
                "a log line names operation, peer and reason, and no secret")

private slots:
    void R18_events_are_debug_output();
    void R18_log_line_of_a_refused_key();
    void S5_overlong_key_of_client();
    void S5_overlong_key_of_server();
    void S5_overlong_identity();
    void S5_different_overlong_keys();
    void S5_longest_key();
    void S14_wrong_key_ends();
};

namespace {

const Registered<Psk> registration;

// The limits, as the backend tells a slot of pskRequired.
struct Limits {
    int key = 0;
    int identity = 0;
};

Limits limits()
{
    Loopback link;
    Limits found;
    QObject::connect(link.client.dtls.get(), &QDtls::pskRequired, link.client.dtls.get(),
                     [&found](const QSslPreSharedKeyAuthenticator *authenticator) {
                         found.key = authenticator->maximumPreSharedKeyLength();
                         found.identity = authenticator->maximumIdentityLength();
                     });
    link.handshake();
    return found;
}

// The end of a handshake that `endpoint` refused because of its own key or identity.
#define VERIFY_REFUSED_PSK(endpoint)                                                               \
    QVERIFY2((endpoint).failed, (endpoint).report());                                              \
    QCOMPARE((endpoint).dtls->dtlsError(), QDtlsError::TlsFatalError);                             \
    QVERIFY2((endpoint).dtls->dtlsErrorString().contains(u"PSK"), (endpoint).report());            \
    QCOMPARE((endpoint).dtls->handshakeState(), QDtls::HandshakeNotStarted)

QStringList logged;

void collect(QtMsgType, const QMessageLogContext &context, const QString &text)
{
    if (qstrcmp(context.category, "qt.tlsbackend.ossl") == 0)
        logged << text;
}

// The lines of a handshake with a server that the client does not trust, and the server's address.
QStringList linesOfRefusal(QString *peer)
{
    Loopback link(Identity::selfSigned("DNS:bob.example"));
    link.client.setConfiguration(clientConfiguration(Identity::selfSigned("DNS:bob.example")));
    logged.clear();
    const QtMessageHandler previous = qInstallMessageHandler(collect);
    link.handshake();
    qInstallMessageHandler(previous);
    *peer = QStringLiteral("127.0.0.1:%1").arg(link.server.socket.localPort());
    return std::exchange(logged, {});
}

} // namespace

void Psk::R18_events_are_debug_output()
{
    QString peer;
    const QStringList unasked = linesOfRefusal(&peer);
    QVERIFY2(unasked.isEmpty(), qPrintable(unasked.join(u'|')));
    QLoggingCategory::setFilterRules(QStringLiteral("qt.tlsbackend.ossl.debug=true"));
    const QStringList lines = linesOfRefusal(&peer);
    QLoggingCategory::setFilterRules({});
    const auto tells = [&peer](const QString &line) {
        return line.contains(peer) && line.contains(u"refused") && line.contains(u"X509_V_ERR");
    };
    QVERIFY2(std::any_of(lines.cbegin(), lines.cend(), tells), qPrintable(lines.join(u'|')));
}

void Psk::R18_log_line_of_a_refused_key()
{
    const QByteArray key = "a key that nobody may read" + QByteArray(limits().key, 'k');
    Loopback link;
    link.client.usePsk(key);
    const QtMessageHandler previous = qInstallMessageHandler(collect);
    link.handshake();
    qInstallMessageHandler(previous);

    const QString peer = QStringLiteral("127.0.0.1:%1").arg(link.server.socket.localPort());
    const auto tells = [&peer](const QString &line) {
        return line.contains(peer) && line.contains(u"PSK") && line.contains(u"at most");
    };
    QVERIFY2(std::any_of(logged.cbegin(), logged.cend(), tells), qPrintable(logged.join(u'|')));
    QVERIFY(!logged.join(u' ').contains(u"nobody may read"));
}

void Psk::S5_overlong_key_of_client()
{
    const QByteArray longest(limits().key, 'k');
    Loopback link;
    link.client.usePsk(longest + 'k');
    link.server.usePsk(longest);
    QVERIFY(!link.handshake());
    VERIFY_REFUSED_PSK(link.client);
}

void Psk::S5_overlong_key_of_server()
{
    const QByteArray longest(limits().key, 'k');
    Loopback link;
    link.client.usePsk(longest);
    link.server.usePsk(longest + 'k');
    QVERIFY(!link.handshake());
    VERIFY_REFUSED_PSK(link.server);
}

void Psk::S5_overlong_identity()
{
    const QByteArray longest(limits().identity, 'i');
    Loopback link;
    link.client.usePsk("a key that both sides know", longest + 'i');
    QVERIFY(!link.handshake());
    VERIFY_REFUSED_PSK(link.client);
}

void Psk::S5_different_overlong_keys()
{
    const QByteArray common(limits().key, 'k');
    Loopback link;
    link.client.usePsk(common + QByteArray(88, 'c'));
    link.server.usePsk(common + QByteArray(88, 's'));
    QVERIFY(!link.handshake());
    QVERIFY(!link.client.isComplete());
    QVERIFY(!link.server.isComplete());
}

void Psk::S5_longest_key()
{
    const Limits longest = limits();
    QVERIFY(longest.key >= 64);
    QVERIFY(longest.identity >= 128);
    const QByteArray key(longest.key, 'k');
    Loopback link;
    link.client.usePsk(key, QByteArray(longest.identity, 'i'));
    link.server.usePsk(key);
    VERIFY_HANDSHAKE(link);
}

void Psk::S14_wrong_key_ends()
{
    setRetransmission(20, 80);
    Loopback link;
    link.client.usePsk("one key");
    link.server.usePsk("another key");
    QVERIFY(!link.handshake());

    for (Endpoint *endpoint : { &link.client, &link.server }) {
        connect(endpoint->dtls.get(), &QDtls::handshakeTimeout, this, [endpoint] {
            endpoint->failed = !endpoint->dtls->handleTimeout(&endpoint->socket);
        });
        connect(&endpoint->socket, &QUdpSocket::readyRead, this,
                [endpoint] { endpoint->deliver(); });
    }
    QTRY_VERIFY2_WITH_TIMEOUT(link.client.failed && link.server.failed, link.report(), 6000);
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::TlsFatalError);
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::TlsFatalError);
}

} // namespace hardening

#include "psk.moc"
