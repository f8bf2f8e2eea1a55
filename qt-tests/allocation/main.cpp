// SPDX-License-Identifier: MIT OR Apache-2.0
//
// allocation_sweep SWEEP INTERVAL FILE
//
// Fails every INTERVALth allocation. SWEEP is one of
//   later         OpenSSL's in an exchange
//   first         the same in the first exchange of a process
//   plugin-later  the plugin's, and Qt's on its behalf
//   plugin-first  the same in the first exchange of a process
//   plugin-psk    the same in an exchange with a pre-shared key
//   controls      those of subjects that are known to fail
//
// Writes the outcome of each to FILE (see sweep.h).
#include "allocator.h"
#include "controls.h"
#include "heap.h"
#include "sweep.h"

#include <QtCore/QCoreApplication>
#include <QtNetwork/QSslSocket>

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace allocation;

namespace {

bool sweepExchange(const QString &name, quint64 interval)
{
    const Configurations configurations =
        name.endsWith(u"psk") ? Configurations::makePsk() : Configurations::make();
    const auto exchange = [&configurations] { return runExchange(configurations); };
    const int rehearsals = name.endsWith(u"first") ? 0 : 2;
    constexpr unsigned hangSeconds = 10; // a run takes a few milliseconds
    return Sweep(name.toLatin1(), exchange, rehearsals, hangSeconds).run(interval);
}

} // namespace

int main(int argc, char **argv)
{
    const bool failsPlugins = argc > 1 && std::strncmp(argv[1], "plugin-", 7) == 0;
    if (!failsPlugins && !allocator::install()) {
        std::fprintf(stderr, "OpenSSL does not take an allocator\n");
        return EXIT_FAILURE;
    }
    const QCoreApplication application(argc, argv);
    const QStringList arguments = application.arguments();
    const QString what = arguments.value(1);
    const quint64 interval = arguments.value(2).toULongLong();
    if (arguments.size() != 4 || interval == 0) {
        std::fprintf(stderr, "usage: allocation_sweep SWEEP INTERVAL FILE\n");
        return EXIT_FAILURE;
    }
    if (!std::freopen(argv[3], "w", stdout)) {
        std::perror(argv[3]);
        return EXIT_FAILURE;
    }
    // Load the plugin first: children inherit it at the same address, which gives their stacks a
    // meaning here.
    if (!QSslSocket::supportsSsl()) {
        std::fprintf(stderr, "there is no TLS plugin\n");
        return EXIT_FAILURE;
    }
    if (failsPlugins)
        heap::failPlugins();
    const bool swept = what == u"controls" ? sweepControls() : sweepExchange(what, interval);
    return swept ? EXIT_SUCCESS : EXIT_FAILURE;
}
