// SPDX-License-Identifier: MIT OR Apache-2.0
//
// coredump_subject SEED LIVE DESTROYED
//
// Uses a cookie secret and a pre-shared key, patterns SEED and SEED + 1, and wipes its own copies.
// Then dumps core to LIVE, with the verifier and the connection still there, and without them to
// DESTROYED. Two controls are in memory all the time: pattern SEED + 2, which must be found in a
// dump, and SEED + 3 in a mapping that dumps leave out (MADV_DONTDUMP).
#include "dump.h"
#include "pattern.h"

#include "pair/cookie_exchange.h"
#include "pair/loopback.h"

#include <QtCore/QCoreApplication>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <sys/mman.h>

using namespace coredump;
using namespace pair;

namespace {

QByteArray pattern(quint64 number)
{
    QByteArray bytes(patternSize, Qt::Uninitialized);
    writePattern(number, bytes.data());
    return bytes;
}

// Hands the pattern over and wipes it in place, unless someone else still holds the same array.
template <typename Server> void setCookieSecret(Server &server, quint64 number)
{
    QByteArray secret = pattern(number);
    server.setCookieGeneratorParameters(
        QDtls::GeneratorParameters(QCryptographicHash::Sha256, secret));
    secret.fill('\0');
}

// A cookie exchange and a connection, with all objects that got a secret for it.
class Association {
public:
    Association(quint64 cookieSecret, quint64 key)
    {
        setCookieSecret(cookies.verifier, cookieSecret);
        setCookieSecret(*link.server.dtls, cookieSecret);
        for (Endpoint *endpoint : { &link.client, &link.server }) {
            QObject::connect(endpoint->dtls.get(), &QDtls::pskRequired, endpoint->dtls.get(),
                             [key](QSslPreSharedKeyAuthenticator *authenticator) {
                                 authenticator->setPreSharedKey(pattern(key));
                             });
        }
    }

    bool run()
    {
        return cookies.accepts(cookies.answered(wire::genuineHello())) && link.handshake();
    }

private:
    CookieExchange cookies;
    Loopback link;
};

// The controls, in memory during the lifetime of this object.
class Controls {
public:
    explicit Controls(quint64 number)
    {
        writePattern(number, found.data());
        madvise(excluded, size, MADV_DONTDUMP);
        writePattern(number + 1, static_cast<char *>(excluded));
    }
    ~Controls() { munmap(excluded, size); }
    Q_DISABLE_COPY_MOVE(Controls)

private:
    static constexpr size_t size = patternSize;

    QByteArray found { patternSize, Qt::Uninitialized };
    void *excluded =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
};

bool dumpBothWays(quint64 seed, const char *live, const char *destroyed)
{
    // Everything is run once with other secrets: the dynamic linker, binding a function at its
    // first call, saves the vector registers on the stack and with them what was last copied.
    if (!Association(seed + 4, seed + 5).run())
        return false;
    const Controls controls(seed + 2);
    auto association = std::make_unique<Association>(seed, seed + 1);
    if (!association->run() || !dumpCore(live))
        return false;
    association.reset();
    return dumpCore(destroyed);
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    if (argc != 4) {
        std::fprintf(stderr, "usage: coredump_subject SEED LIVE DESTROYED\n");
        return EXIT_FAILURE;
    }
    return dumpBothWays(std::strtoull(argv[1], nullptr, 10), argv[2], argv[3]) ? EXIT_SUCCESS
                                                                               : EXIT_FAILURE;
}
