// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S30 (with R5 and S23): secrets that are still in the process's memory when nobody needs them.
#include "cases.h"
#include "cookie_exchange.h"
#include "loopback.h"

#include <QtCore/QFile>
#include <QtCore/QRandomGenerator>
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
    void S30_key_after_the_handshake();
    void S30_key_after_the_end();
    void S30_cookie_secret_after_the_end();
};

namespace {

const Registered<Secrets> registration;

// A random secret that this program itself keeps only masked.
class MaskedSecret {
public:
    MaskedSecret()
        : masked(size, Qt::Uninitialized)
    {
        for (char &byte : masked)
            byte = char(QRandomGenerator::system()->generate());
    }

    // The secret itself, for the callee to keep.
    QByteArray reveal() const
    {
        QByteArray secret = masked;
        for (char &byte : secret)
            byte = char(byte ^ mask);
        return secret;
    }

    // How often the secret is found in the writable memory of this process.
    int occurrences() const
    {
        QFile maps(QStringLiteral("/proc/self/maps"));
        if (!maps.open(QIODevice::ReadOnly))
            qFatal("this case needs /proc/self/maps");
        int found = 0;
        for (const QByteArray &line : maps.readAll().split('\n')) {
            const QByteArrayList fields = line.split(' ');
            if (!fields.value(1).startsWith("rw"))
                continue;
            const QByteArrayList bounds = fields.first().split('-');
            found += occurrencesIn(
                reinterpret_cast<const char *>(bounds.at(0).toULongLong(nullptr, 16)),
                reinterpret_cast<const char *>(bounds.at(1).toULongLong(nullptr, 16)));
        }
        return found;
    }

private:
    static constexpr int size = 64;
    static constexpr char mask = 0x5a;

    // An allocator may overwrite the first bytes of what is freed, so the secret's second half is
    // looked for.
    int occurrencesIn(const char *begin, const char *end) const
    {
        constexpr int half = size / 2;
        int found = 0;
        for (const char *at = begin; at + half <= end; ++at) {
            int i = 0;
            while (i < half && char(at[i] ^ mask) == masked.at(half + i))
                ++i;
            found += i == half;
        }
        return found;
    }

    QByteArray masked;
};

// Answers pskRequired with a copy that only QDtls has when the slot is over.
void useSecret(Endpoint &endpoint, const MaskedSecret &secret)
{
    QObject::connect(endpoint.dtls.get(), &QDtls::pskRequired, endpoint.dtls.get(),
                     [&secret](QSslPreSharedKeyAuthenticator *authenticator) {
                         authenticator->setPreSharedKey(secret.reveal());
                     });
}

} // namespace

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
    {
        Loopback link;
        useSecret(link.client, key);
        useSecret(link.server, key);
        VERIFY_HANDSHAKE(link);
    }
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
