// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F6, F8, F14, F16: what a verification name, or a peer without one, sends as server name, and what
// it matches in a certificate.
#include "cases.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtTest/QTest>

namespace hardening {

class Names : public QObject {
    Q_OBJECT
    Q_CLASSINFO("F6_server_names",
                "host names are sent as server name in ASCII and without the root's dot, nothing "
                "else is sent")
    Q_CLASSINFO("F6_names_in_certificates", "each form of a name matches what it stands for")
    Q_CLASSINFO("F8_addresses_in_certificates",
                "a peer without a name matches a certificate for its address, in each form")
    Q_CLASSINFO("F14_server_name_indication_is_disabled",
                "no server name is sent if the configuration disables it")
    Q_CLASSINFO("F16_name_over_255_bytes",
                "a name that is too long for a host name does not keep a handshake from completing")
    Q_CLASSINFO("F16_name_over_255_bytes_is_verified",
                "a name that is too long for a host name matches no certificate")

private slots:
    void F6_server_names();
    void F6_names_in_certificates();
    void F8_addresses_in_certificates();
    void F14_server_name_indication_is_disabled();
    void F16_name_over_255_bytes();
    void F16_name_over_255_bytes_is_verified();
};

namespace {

const Registered<Names> registration;

// Labels of 63 letters and a last one, `length` characters in all.
QString longName(qsizetype length)
{
    QString name(length, u'a');
    for (qsizetype dot = 63; dot + 1 < length; dot += 64)
        name[dot] = u'.';
    return name;
}

// The extension of a server that is called so (RFC 6066, 3); null for none.
QByteArray extensionFor(const QByteArray &name)
{
    const auto number = [](qsizetype value) {
        return QByteArray(1, char(value >> 8)) + char(value);
    };
    if (name.isEmpty())
        return {};
    const QByteArray entry = '\0' + number(name.size()) + name;
    return number(entry.size()) + entry;
}

QByteArray extensionSentBy(Loopback &link)
{
    link.start();
    const auto hello = wire::ClientHello::parse(takeDatagrams(link.server.socket).value(0));
    return hello ? hello->extension(wire::ServerName) : QByteArray("no hello");
}

const QString idn = QStringLiteral("b\u00fccher.example");
const QString idnInCapitals = QStringLiteral("B\u00dcCHER.Example");
const QString idnWithIdeographicDot = QStringLiteral("b\u00fccher\u3002example");

// A certificate whose common name is no host name.
Identity identityOf(const QString &alternativeNames)
{
    return Identity::selfSigned(alternativeNames, QStringLiteral("no name"));
}

} // namespace

void Names::F6_server_names()
{
    struct Row {
        QString name;
        QByteArray sent;
    };
    const Row rows[] = {
        { "bob.example", "bob.example" },
        { "BOB.Example", "bob.example" },
        { "localhost", "localhost" },
        { "my_host.example", "my_host.example" },
        { "bob.example.", "bob.example" },
        { "bob.example..", {} },
        { ".bob.example", {} },
        { "bob..example", {} },
        { ".", {} },
        { "-bob.example", {} },
        { "bob example", {} },
        { "*.example", {} },
        { idn, "xn--bcher-kva.example" },
        { idnInCapitals, "xn--bcher-kva.example" },
        { idnWithIdeographicDot, "xn--bcher-kva.example" },
        { idn + u'.', "xn--bcher-kva.example" },
        { "xn--bcher-kva.example", "xn--bcher-kva.example" },
        { "127.0.0.1", {} },
        { "127.0.0.1.", {} },
        { "127.1", {} },
        { "2130706433", {} },
        { "0177.0.0.1", {} },
        { "0x7f.0.0.1", {} },
        { "0x7f000001", {} },
        { "::1", {} },
        { "[::1]", {} },
        { "::ffff:127.0.0.1", {} },
        { "fe80::1%lo", {} },
        { longName(253), longName(253).toLatin1() },
        { longName(253) + u'.', longName(253).toLatin1() },
        { longName(254), {} },
        { longName(256), {} },
        { QString(64, u'a'), {} },
    };
    const Identity identity = identityOf("DNS:bob.example");
    for (const Row &row : rows) {
        Loopback link(identity, row.name);
        const QByteArray sent = extensionSentBy(link);
        QVERIFY2(sent == extensionFor(row.sent), row.name.toUtf8() + " sends " + sent);
    }
}

void Names::F6_names_in_certificates()
{
    const Identity identity = identityOf(
        "DNS:bob.example,DNS:*.wild.example,DNS:xn--bcher-kva.example,IP:127.0.0.1,IP:::1,"
        "IP:fe80::1,DNS:CAPITALS.Example,DNS:dot.example.,DNS:"
        + longName(253));
    struct Row {
        QString name;
        bool matches;
    };
    const Row rows[] = {
        { "bob.example", true },
        { "BOB.Example", true },
        { "bob.example.", true },
        { "bob.example..", false },
        { ".bob.example", false },
        { "bob..example", false },
        { ".", false },
        { "eve.example", false },
        { "no name", true },
        { "some name", false },
        { "example", false },
        { "capitals.example", true },
        { "dot.example", false },
        { "dot.example.", true },
        { "a.wild.example", true },
        { "a.wild.example.", true },
        { "a.b.wild.example", false },
        { "wild.example", false },
        { idn, true },
        { idnInCapitals, true },
        { idn + u'.', true },
        { "xn--bcher-kva.example", true },
        { "127.0.0.1", true },
        { "127.1", true },
        { "2130706433", true },
        { "0177.0.0.1", true },
        { "0x7f.0.0.1", true },
        { "127.0.0.2", false },
        { "::1", true },
        { "0:0:0:0:0:0:0:1", true },
        { "[::1]", false },
        { "::ffff:127.0.0.1", true },
        { "::ffff:7f00:1", true },
        { "::ffff:127.0.0.2", false },
        { "::127.0.0.1", false },
        { "fe80::1", true },
        { "fe80::1%lo", true },
        { "fe80::2%lo", false },
        { longName(253), true },
        { longName(253) + u'.', true },
        { longName(254), false },
    };
    for (const Row &row : rows) {
        // The second client may remember what the first one found.
        for (int client = 0; client < 2; ++client) {
            Loopback link(identity, row.name);
            QVERIFY2(link.handshake() == row.matches, row.name.toUtf8() + ": " + link.report());
            if (!row.matches)
                QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::PeerVerificationError);
        }
    }
}

void Names::F8_addresses_in_certificates()
{
    struct Row {
        const char *peer;
        const char *certificate;
        bool matches;
    };
    const Row rows[] = {
        { "127.0.0.1", "IP:127.0.0.1", true },
        { "::ffff:127.0.0.1", "IP:127.0.0.1", true },
        { "::ffff:127.0.0.1", "IP:::ffff:127.0.0.1", true },
        { "::ffff:127.0.0.1", "IP:127.0.0.2", false },
        { "::ffff:127.0.0.1", "DNS:bob.example", false },
        { "::1", "IP:::1", true },
        { "::1%lo", "IP:::1", true },
        { "::1", "IP:127.0.0.1", false },
        { "::1", "DNS:bob.example", false },
    };
    for (const Row &row : rows) {
        const QHostAddress peer(row.peer);
        bool isIpv4 = false;
        peer.toIPv4Address(&isIpv4);
        const QHostAddress local(isIpv4 ? QHostAddress::LocalHost : QHostAddress::LocalHostIPv6);
        Loopback link(identityOf(row.certificate), {}, local);
        link.client.socket.close();
        QVERIFY(link.client.socket.bind(QHostAddress::Any));
        QVERIFY(link.client.dtls->setPeer(peer, link.server.socket.localPort()));
        QVERIFY(link.server.dtls->setPeer(local, link.client.socket.localPort()));
        QVERIFY2(link.handshake() == row.matches,
                 QByteArray(row.peer) + ", " + row.certificate + ": " + link.report());
        if (!row.matches)
            QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::PeerVerificationError);
    }
}

void Names::F14_server_name_indication_is_disabled()
{
    const Identity identity = identityOf("DNS:bob.example");
    for (const bool disabled : { false, true }) {
        Loopback link(identity);
        QSslConfiguration configuration = clientConfiguration(identity);
        configuration.setSslOption(QSsl::SslOptionDisableServerNameIndication, disabled);
        link.client.setConfiguration(configuration);
        if (disabled)
            QVERIFY(extensionSentBy(link).isNull());
        else
            VERIFY_HANDSHAKE(link);
    }
}

void Names::F16_name_over_255_bytes()
{
    for (const qsizetype length : { 254, 255, 256, 300, 70'000 }) {
        Loopback link(Identity(), longName(length));
        VERIFY_HANDSHAKE(link);
    }
}

void Names::F16_name_over_255_bytes_is_verified()
{
    Loopback link(identityOf("DNS:bob.example"), longName(300));
    QVERIFY(!link.handshake());
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::PeerVerificationError);
}

} // namespace hardening

#include "names.moc"
