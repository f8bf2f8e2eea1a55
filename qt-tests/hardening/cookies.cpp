// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S15, S16, S17, R1, R11: the verifier's parameters, and the cookie exchange as an application runs
// it.
#include "cases.h"
#include "settings.h"
#include "pair/cookie_exchange.h"
#include "pair/loopback.h"

#include <QtCore/QMetaEnum>
#include <QtTest/QTest>

namespace hardening {

class Cookies : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S15_missing_hash", "a hash the OpenSSL in use lacks is refused when it is set")
    Q_CLASSINFO("S15_accepted_hashes_work",
                "every hash is refused, or makes a cookie of 1 to 32 bytes")
    Q_CLASSINFO("S15_refused_hash_changes_nothing",
                "after a refused hash the old parameters are in use")
    Q_CLASSINFO("S15_shared_secret", "verifiers with one secret accept each other's cookies")
    Q_CLASSINFO("S15_different_secrets",
                "verifiers with different secrets refuse each other's cookies")
    Q_CLASSINFO("S15_fragmented_hello", "a fragmented ClientHello passes verifier and handshake")
    Q_CLASSINFO("S16_verifier_without_cookie_option",
                "the verifier verifies when the default configuration has cookie verification off")
    Q_CLASSINFO("S17_unspecified_address_to_verifier",
                "verifyClient refuses Any, AnyIPv4 and AnyIPv6 as the peer")
    Q_CLASSINFO("S17_port_zero_to_verifier", "verifyClient refuses port 0")
    Q_CLASSINFO("S17_unspecified_address_to_handshake",
                "a handshake with Any or AnyIPv6 is refused")
    Q_CLASSINFO("S17_port_zero_to_handshake", "a handshake with port 0 is refused")
    Q_CLASSINFO("R1_default_secret_size", "the default cookie secret has 32 bytes")
    Q_CLASSINFO("R1_configured_secret_size", "QDTLS_COOKIE_SECRET_SIZE sets the secret's size")
    Q_CLASSINFO("R1_secret_size_is_bounded", "a secret's size out of bounds is not taken")

private slots:
    void S15_missing_hash();
    void S15_accepted_hashes_work();
    void S15_refused_hash_changes_nothing();
    void S15_shared_secret();
    void S15_different_secrets();
    void S15_fragmented_hello();
    void S16_verifier_without_cookie_option();
    void S17_unspecified_address_to_verifier();
    void S17_port_zero_to_verifier();
    void S17_unspecified_address_to_handshake();
    void S17_port_zero_to_handshake();
    void R1_default_secret_size();
    void R1_configured_secret_size();
    void R1_secret_size_is_bounded();
};

namespace {

const Registered<Cookies> registration;

using Parameters = QDtlsClientVerifier::GeneratorParameters;

constexpr quint16 somePort = 4433;
const QByteArray secret = "a secret of the application, 32 B";

qsizetype secretSize()
{
    return QDtlsClientVerifier().cookieGeneratorParameters().secret.size();
}

} // namespace

void Cookies::S15_missing_hash()
{
    QDtlsClientVerifier verifier;
    for (const auto hash : { QCryptographicHash::Md4, QCryptographicHash::Keccak_256,
                             QCryptographicHash::Keccak_512 }) {
        QVERIFY2(!verifier.setCookieGeneratorParameters(Parameters(hash, secret)),
                 QByteArray::number(hash));
        QCOMPARE(verifier.dtlsError(), QDtlsError::InvalidInputParameters);
        QVERIFY(!verifier.dtlsErrorString().isEmpty());

        // QDtls's function returns false whatever happens, so its error is what counts.
        QDtls dtls(QSslSocket::SslServerMode);
        dtls.setCookieGeneratorParameters(Parameters(hash, secret));
        QCOMPARE(dtls.dtlsError(), QDtlsError::InvalidInputParameters);
    }
}

void Cookies::S15_accepted_hashes_work()
{
    const wire::ClientHello hello = wire::genuineHello();
    const auto hashes = QMetaEnum::fromType<QCryptographicHash::Algorithm>();
    int accepted = 0;
    for (int i = 0; i < hashes.keyCount(); ++i) {
        const auto hash = QCryptographicHash::Algorithm(hashes.value(i));
        CookieExchange exchange;
        if (!exchange.verifier.setCookieGeneratorParameters(Parameters(hash, secret))) {
            QCOMPARE(exchange.verifier.dtlsError(), QDtlsError::InvalidInputParameters);
            continue;
        }
        ++accepted;
        const QByteArray cookie = exchange.cookieFor(hello);
        QVERIFY2(!cookie.isEmpty() && cookie.size() <= 32,
                 hashes.key(i) + QByteArray(": ") + QByteArray::number(cookie.size()));
        QVERIFY2(exchange.accepts(hello.withCookie(cookie)), hashes.key(i));
    }
    QVERIFY(accepted >= 4); // SHA-2's four at the least
}

void Cookies::S15_refused_hash_changes_nothing()
{
    CookieExchange exchange;
    QVERIFY(exchange.verifier.setCookieGeneratorParameters(
        Parameters(QCryptographicHash::Sha256, secret)));
    QVERIFY(!exchange.verifier.setCookieGeneratorParameters(
        Parameters(QCryptographicHash::Md4, "another")));

    const Parameters inUse = exchange.verifier.cookieGeneratorParameters();
    QCOMPARE(inUse.hash, QCryptographicHash::Sha256);
    QCOMPARE(inUse.secret, secret);
    QVERIFY(exchange.accepts(exchange.answered(wire::genuineHello())));
}

void Cookies::S15_shared_secret()
{
    CookieExchange one;
    CookieExchange other;
    const Parameters parameters(QCryptographicHash::Sha256, secret);
    QVERIFY(one.verifier.setCookieGeneratorParameters(parameters));
    QVERIFY(other.verifier.setCookieGeneratorParameters(parameters));

    const wire::ClientHello hello = one.answered(wire::genuineHello());
    QVERIFY(other.acceptsFrom(one.client.localAddress(), one.client.localPort(), hello));
}

void Cookies::S15_different_secrets()
{
    CookieExchange one;
    CookieExchange other;
    QVERIFY(other.verifier.setCookieGeneratorParameters(
        Parameters(QCryptographicHash::Sha256, secret)));

    const wire::ClientHello hello = one.answered(wire::genuineHello());
    QVERIFY(one.accepts(hello));
    QVERIFY(!other.acceptsFrom(one.client.localAddress(), one.client.localPort(), hello));
}

// The first fragment has all that a cookie is made of; its verified copy starts the server's
// handshake.
void Cookies::S15_fragmented_hello()
{
    Loopback link;
    auto configuration = serverConfiguration();
    configuration.setDtlsCookieVerificationEnabled(true);
    link.server.setConfiguration(configuration);
    link.client.dtls->setMtuHint(256);
    QSslConfiguration longHello = clientConfiguration();
    longHello.setAllowedNextProtocols(QList<QByteArray>(20, "a-protocol-that-nobody-speaks"));
    link.client.setConfiguration(longHello);

    QDtlsClientVerifier verifier;
    QVERIFY(link.start());
    int fragments = 0;
    for (bool verified = false; !verified;) {
        const QByteArrayList hello = takeDatagrams(link.server.socket);
        QVERIFY(!hello.isEmpty());
        fragments = int(hello.size());
        for (const QByteArray &fragment : hello) {
            verified = verified || link.server.verify(verifier, fragment);
            if (verified)
                link.server.process(fragment);
        }
        link.client.deliver();
    }
    QVERIFY(fragments > 1);
    link.exchange();
    QVERIFY2(link.client.isComplete() && link.server.isComplete(), link.report());
}

void Cookies::S16_verifier_without_cookie_option()
{
    auto configuration = QSslConfiguration::defaultDtlsConfiguration();
    configuration.setDtlsCookieVerificationEnabled(false);
    QSslConfiguration::setDefaultDtlsConfiguration(configuration);

    CookieExchange exchange;
    const wire::ClientHello first = wire::genuineHello();
    const QByteArray cookie = exchange.cookieFor(first);
    QVERIFY2(!cookie.isEmpty(), exchange.verifier.dtlsErrorString().toUtf8());
    QVERIFY(exchange.accepts(first.withCookie(cookie)));
}

void Cookies::S17_unspecified_address_to_verifier()
{
    CookieExchange exchange;
    const wire::ClientHello hello = wire::genuineHello();
    for (const QHostAddress address :
         { QHostAddress::Any, QHostAddress::AnyIPv4, QHostAddress::AnyIPv6 }) {
        QVERIFY2(!exchange.acceptsFrom(address, somePort, hello), address.toString().toUtf8());
        QCOMPARE(exchange.verifier.dtlsError(), QDtlsError::InvalidInputParameters);
        QVERIFY(!exchange.verifier.dtlsErrorString().isEmpty());
    }
}

void Cookies::S17_port_zero_to_verifier()
{
    CookieExchange exchange;
    QVERIFY(!exchange.acceptsFrom(QHostAddress::LocalHost, 0, wire::genuineHello()));
    QCOMPARE(exchange.verifier.dtlsError(), QDtlsError::InvalidInputParameters);
    QVERIFY(!exchange.verifier.dtlsErrorString().isEmpty());
}

void Cookies::S17_unspecified_address_to_handshake()
{
    for (const QHostAddress address : { QHostAddress::Any, QHostAddress::AnyIPv6 }) {
        Loopback link;
        link.client.dtls->setPeer(address, somePort);
        QVERIFY2(!link.start(), address.toString().toUtf8());
        QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::InvalidInputParameters);
        QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
    }
}

void Cookies::S17_port_zero_to_handshake()
{
    Loopback link;
    link.client.dtls->setPeer(QHostAddress::LocalHost, 0);
    QVERIFY(!link.start());
    QCOMPARE(link.client.dtls->dtlsError(), QDtlsError::InvalidInputParameters);
    QVERIFY(!link.client.dtls->dtlsErrorString().isEmpty());
}

void Cookies::R1_default_secret_size()
{
    QCOMPARE(secretSize(), 32);
}

void Cookies::R1_configured_secret_size()
{
    setBackend("QDTLS_COOKIE_SECRET_SIZE", 48);
    QCOMPARE(secretSize(), 48);
}

void Cookies::R1_secret_size_is_bounded()
{
    setBackend("QDTLS_COOKIE_SECRET_SIZE", 8);
    QVERIFY(secretSize() >= 16);
    QVERIFY(secretSize() <= 64);
}

} // namespace hardening

#include "cookies.moc"
