// SPDX-License-Identifier: MIT OR Apache-2.0
//
// dtls_soak_server CERTIFICATE KEY: prints its port, then each second a line of numbers, separated
// by tabs: resident and heap bytes, milliseconds of processor time, peers, completed and failed
// handshakes.

#include "server.h"

#include "bench/process_memory.h"
#include "pair/identity.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QTimer>

#include <sys/resource.h>

#include <cstdio>

using namespace soak;

static quint64 milliseconds(const timeval &time)
{
    return quint64(time.tv_sec) * 1000 + quint64(time.tv_usec) / 1000;
}

static void report(const Server &server)
{
    const auto memory = bench::MemoryUse::now();
    rusage used {};
    getrusage(RUSAGE_SELF, &used);
    const quint64 processorMs = milliseconds(used.ru_utime) + milliseconds(used.ru_stime);
    std::printf("%zu\t%zu\t%llu\t%zu\t%llu\t%llu\n", memory.resident, memory.heap, processorMs,
                server.peerCount(), server.completed, server.failed);
    std::fflush(stdout);
}

int main(int count, char **texts)
{
    const QCoreApplication application(count, texts);
    const QStringList arguments = application.arguments();
    const auto identity =
        pair::Identity::fromFiles(arguments.value(1), arguments.value(2), QSsl::Ec);
    if (identity.certificate.isNull() || identity.key.isNull())
        return 2;
    QSslConfiguration configuration = pair::serverConfiguration(identity);
    configuration.setDtlsCookieVerificationEnabled(true);
    Server server(configuration);
    if (!server.listen())
        return 2;
    std::printf("port %d\n", server.port());
    std::fflush(stdout);
    QTimer second;
    QObject::connect(&second, &QTimer::timeout, [&server] {
        server.sweep();
        report(server);
    });
    second.start(1000);
    return application.exec();
}
