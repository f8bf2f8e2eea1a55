// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S30 (with R5 and S23): secrets that stay in the memory of the process after their use.
#include "cases.h"
#include "pair/cookie_exchange.h"
#include "pair/loopback.h"

#include <QtCore/QRandomGenerator>
#include <QtTest/QTest>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

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

// The size of what is read at once; blocks overlap by more than a secret's length.
constexpr off_t blockSize = 1 << 16;
constexpr off_t overlap = 64;

// Calls visit(begin, end) for a copy of each block of one region of this process's memory. The copy
// is wiped before the next is made. It is read through /proc/self/mem because a region that is gone
// by now is an error there and a crash anywhere else.
template <typename Visit> void forEachBlock(int memory, off_t begin, off_t end, Visit visit)
{
    static char block[blockSize];
    for (off_t at = begin; at < end; at += blockSize - overlap) {
        const ssize_t size = pread(memory, block, size_t(qMin(blockSize, end - at)), at);
        if (size > 0)
            visit(block, block + size);
        std::fill(std::begin(block), std::end(block), '\0');
    }
}

// The same for all writable regions. Nothing is allocated on the way, or that might overwrite the
// freed memory which is to be searched.
template <typename Visit> void forEachWritableBlock(Visit visit)
{
    static char maps[1 << 18];
    const int list = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    for (ssize_t got; (got = read(list, maps + size, sizeof maps - 1 - size)) > 0;)
        size += size_t(got);
    maps[size] = '\0';
    close(list);
    if (size == 0 || memory < 0)
        qFatal("this case needs /proc/self");

    for (char *line = maps; *line; line = std::strchr(line, '\n') + 1) {
        char *at = nullptr;
        const auto begin = off_t(std::strtoull(line, &at, 16));
        const auto end = off_t(std::strtoull(at + 1, &at, 16));
        if (std::strncmp(at, " rw", 3) == 0)
            forEachBlock(memory, begin, end, visit);
    }
    close(memory);
}

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

    // How often the secret is found in the writable memory of this process. What is freed loses its
    // first bytes to some allocators, so the secret's second half is looked for.
    int occurrences() const
    {
        int found = 0;
        forEachWritableBlock([&](const char *begin, const char *end) {
            for (const char *at = begin; at + size / 2 <= end; ++at)
                found += matches(at);
        });
        return found;
    }

private:
    static constexpr int size = 64;
    static constexpr char mask = 0x5a;

    bool matches(const char *bytes) const
    {
        for (int i = size / 2; i < size; ++i, ++bytes) {
            if (char(*bytes ^ mask) != masked.at(i))
                return false;
        }
        return true;
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

// Everything is run once with other secrets: the dynamic linker, binding a function at its first
// call, saves the vector registers on the stack and with them the bytes last copied. A program
// cannot wipe those.
void Secrets::initTestCase()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
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
