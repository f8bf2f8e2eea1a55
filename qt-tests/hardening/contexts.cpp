// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F12, S27: how long the SSL_CTX of connections, and the private key in it, stay.
#include "cases.h"
#include "masked_secret.h"
#include "pair/loopback.h"
#include "settings.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QProcess>
#include <QtNetwork/QNetworkProxy>
#include <QtNetwork/QSslCipher>
#include <QtTest/QTest>

#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace hardening {

class Contexts : public QObject {
    Q_OBJECT
    Q_CLASSINFO("F12_one_after_another",
                "connections of equal configurations, one after another, share a context")
    Q_CLASSINFO("F12_other_configurations",
                "connections of different configurations do not share a context")
    Q_CLASSINFO("S27_certificate_on_qts_list",
                "each of several connections refuses a certificate that is on Qt's list")
    Q_CLASSINFO("F12_private_key_at_once",
                "with QDTLS_CONTEXT_KEEP_S=0 a private key is in no memory after its last use")
    Q_CLASSINFO("F12_private_key_after_the_time",
                "after that time a private key is in no memory, though nothing of Qt runs")
    Q_CLASSINFO("F12_ended_thread", "the same after connections on a thread that has ended")
    Q_CLASSINFO("F12_private_key_at_exit", "when the process exits a private key is in no memory")
    Q_CLASSINFO("F12_number", "of many contexts without users at most eight are kept")
    Q_CLASSINFO("F12_fork", "a child of fork() can use QDtls, and keeps its contexts no longer")

private slots:
    void initTestCase();

    void F12_one_after_another();
    void F12_other_configurations();
    void S27_certificate_on_qts_list();
    void F12_private_key_at_once();
    void F12_private_key_after_the_time();
    void F12_ended_thread();
    void F12_private_key_at_exit();
    void F12_number();
    void F12_fork();
};

namespace {

const Registered<Contexts> registration;

std::atomic<int> made = 0, alive = 0;

void count(void *, void *, CRYPTO_EX_DATA *, int, long, void *)
{
    ++made;
    ++alive;
}

void discount(void *, void *, CRYPTO_EX_DATA *, int, long, void *)
{
    --alive;
}

Identity bob()
{
    return Identity::selfSigned("DNS:bob.example");
}

// One connection, with configurations that exist no longer afterwards.
bool connectOnce(const Identity &identity)
{
    return Loopback(identity).handshake();
}

// The number of the private key as OpenSSL computes with it: a BIGNUM, the lowest word first.
MaskedSecret keyOf(const Identity &identity)
{
    QByteArray der = identity.key.toDer();
    const QByteArray versionAndLength = QByteArray::fromHex("0201010420"); // RFC 5915, 3
    QByteArray number = der.mid(der.indexOf(versionAndLength) + versionAndLength.size(), 32);
    std::reverse(number.begin(), number.end());
    if constexpr (QSysInfo::ByteOrder == QSysInfo::BigEndian) {
        constexpr qsizetype word = sizeof(BN_ULONG);
        for (qsizetype start = 0; start + word <= number.size(); start += word)
            std::reverse(number.begin() + start, number.begin() + start + word);
    }
    der.fill('\0');
    return MaskedSecret(std::move(number));
}

// Neither an event loop nor anything of Qt's runs meanwhile.
bool comesTrue(const std::function<bool()> &condition)
{
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(50ms);
    }
    return true;
}

} // namespace

void Contexts::initTestCase()
{
    QVERIFY(!QSslConfiguration::supportedCiphers().isEmpty()); // Qt makes contexts to find out
    QVERIFY(SSL_CTX_get_ex_new_index(0, nullptr, count, nullptr, discount) >= 0);
}

void Contexts::F12_one_after_another()
{
    const Identity identity = bob();
    for (int connection = 0; connection < 3; ++connection)
        QVERIFY(connectOnce(identity));
    QCOMPARE(made.load(), 2);
}

void Contexts::F12_other_configurations()
{
    for (int connection = 1; connection <= 3; ++connection) {
        QVERIFY(connectOnce(bob()));
        QCOMPARE(made.load(), 2 * connection);
    }
}

void Contexts::S27_certificate_on_qts_list()
{
    // Issued by mistake in 2011, with another key.
    const Identity known =
        Identity::selfSigned(QStringLiteral("IP:127.0.0.1"), QStringLiteral("mail.google.com"),
                             QStringLiteral("0x047ecbe9fca55f7bd09eae36e10cae1e"));
    Loopback other(known);
    other.handshake();
    for (int connection = 0; connection < 3; ++connection) {
        Loopback link(known);
        QVERIFY(!link.handshake());
        const QSslError expected(QSslError::CertificateBlacklisted, known.certificate);
        QVERIFY(link.client.dtls->peerVerificationErrors().contains(expected));
    }
}

void Contexts::F12_private_key_at_once()
{
    setBackend("QDTLS_CONTEXT_KEEP_S", 0);
    auto identity = std::make_unique<Identity>(bob());
    const MaskedSecret key = keyOf(*identity);
    QVERIFY(connectOnce(*identity));
    QVERIFY(key.occurrences() > 0);
    identity.reset();
    QCOMPARE(key.occurrences(), 0);
    QCOMPARE(alive.load(), 0);
}

void Contexts::F12_private_key_after_the_time()
{
    setBackend("QDTLS_CONTEXT_KEEP_S", 1);
    auto identity = std::make_unique<Identity>(bob());
    const MaskedSecret key = keyOf(*identity);
    QVERIFY(connectOnce(*identity));
    QVERIFY(key.occurrences() > 0);
    identity.reset();
    QVERIFY(comesTrue([&] { return key.occurrences() == 0; }));
    QVERIFY(comesTrue([&] { return alive == 0; }));
}

void Contexts::F12_ended_thread()
{
    setBackend("QDTLS_CONTEXT_KEEP_S", 1);
    auto identity = std::make_unique<Identity>(bob());
    const MaskedSecret key = keyOf(*identity);
    bool connected = false;
    std::thread([&] { connected = connectOnce(*identity); }).join();
    QVERIFY(connected);
    identity.reset();
    QVERIFY(comesTrue([&] { return key.occurrences() == 0 && alive == 0; }));
    QVERIFY(connectOnce(bob()));
    QVERIFY(comesTrue([&] { return alive == 0; }));
}

// In a process of its own, whose first exit handler runs last and looks for the key.
void Contexts::F12_private_key_at_exit()
{
    static const char *const variable = "HARDENING_EXITS";
    static bool connected = false;
    static std::unique_ptr<MaskedSecret> key;
    if (!qEnvironmentVariableIsSet(variable)) {
        qputenv(variable, "1");
        const QString program = QCoreApplication::applicationFilePath();
        QCOMPARE(QProcess::execute(program, { QTest::currentTestFunction() }), 0);
        return;
    }
    std::atexit([] { _exit(connected && key->occurrences() == 0 ? 0 : 1); });
    setBackend("QDTLS_CONTEXT_KEEP_S", 3600);
    const Identity identity = bob();
    key = std::make_unique<MaskedSecret>(keyOf(identity));
    connected = connectOnce(identity);
}

void Contexts::F12_number()
{
    setBackend("QDTLS_CONTEXT_KEEP_S", 3600);
    for (int connection = 0; connection < 6; ++connection)
        QVERIFY(connectOnce(bob()));
    QVERIFY(alive <= 8);
}

void Contexts::F12_fork()
{
    setBackend("QDTLS_CONTEXT_KEEP_S", 1);
    // Qt asks for the system's proxies on a thread, which does not exist in a child.
    QNetworkProxy::setApplicationProxy(QNetworkProxy::NoProxy);
    const Identity identity = bob();
    QVERIFY(connectOnce(identity));
    const pid_t child = fork();
    if (child == 0) {
        const bool right = connectOnce(identity) && comesTrue([] { return alive == 0; });
        _exit(right ? 0 : 1);
    }
    int status = 0;
    QCOMPARE(waitpid(child, &status, 0), child);
    QCOMPARE(status, 0);
}

} // namespace hardening

#include "contexts.moc"
