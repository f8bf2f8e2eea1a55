// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S30 (with R5 and S23): secrets that stay in the memory of the process after their use.
#include "cases.h"
#include "masked_secret.h"
#include "pair/cookie_exchange.h"
#include "pair/loopback.h"

#include <QtTest/QTest>

namespace hardening {

class Secrets : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S30_key_after_the_handshake",
                "after a handshake its pre-shared key is in no memory")
    Q_CLASSINFO("S30_key_after_the_end",
                "after QDtls is deleted its pre-shared key is in no memory")
    Q_CLASSINFO("S30_cookie_secret_after_the_end",
                "after the verifier is deleted its cookie secret is in no memory")

private slots:
    void initTestCase();

    void S30_key_after_the_handshake();
    void S30_key_after_the_end();
    void S30_cookie_secret_after_the_end();
};

namespace {

const Registered<Secrets> registration;

// Answers pskRequired with a copy that only QDtls has when the slot is over.
void useSecret(Endpoint &endpoint, const MaskedSecret &secret)
{
    QObject::connect(endpoint.dtls.get(), &QDtls::pskRequired, endpoint.dtls.get(),
                     [&secret](QSslPreSharedKeyAuthenticator *authenticator) {
                         authenticator->setPreSharedKey(secret.reveal());
                     });
}

} // namespace

// Everything is run once with other secrets: the dynamic linker, binding a function at its first
// call, saves the vector registers on the stack and with them the bytes last copied. A program
// cannot wipe those.
void Secrets::initTestCase()
{
    const MaskedSecret key;
    Loopback link;
    useSecret(link.client, key);
    useSecret(link.server, key);
    VERIFY_HANDSHAKE(link);
    link.client.dtls.reset();
    link.server.dtls.reset();
    CookieExchange exchange;
    QVERIFY(exchange.verifier.setCookieGeneratorParameters(
        QDtlsClientVerifier::GeneratorParameters(QCryptographicHash::Sha256, "a secret")));
    QVERIFY(exchange.accepts(exchange.answered(wire::genuineHello())));
    QVERIFY(MaskedSecret().occurrences() == 0);
}

void Secrets::S30_key_after_the_handshake()
{
    const MaskedSecret key;
    Loopback link;
    useSecret(link.client, key);
    useSecret(link.server, key);
    VERIFY_HANDSHAKE(link);
    QCOMPARE(key.occurrences(), 0);
}

void Secrets::S30_key_after_the_end()
{
    const MaskedSecret key;
    Loopback link;
    useSecret(link.client, key);
    useSecret(link.server, key);
    VERIFY_HANDSHAKE(link);
    link.client.dtls.reset();
    link.server.dtls.reset();
    QCOMPARE(key.occurrences(), 0);
}

void Secrets::S30_cookie_secret_after_the_end()
{
    const MaskedSecret secret;
    {
        CookieExchange exchange;
        QVERIFY(exchange.verifier.setCookieGeneratorParameters(
            QDtlsClientVerifier::GeneratorParameters(QCryptographicHash::Sha256, secret.reveal())));
        QVERIFY(exchange.accepts(exchange.answered(wire::genuineHello())));
    }
    QCOMPARE(secret.occurrences(), 0);
}

} // namespace hardening

#include "secrets.moc"
