// SPDX-License-Identifier: MIT OR Apache-2.0
//
// allocation_sweep later INTERVAL FILE   fail every INTERVALth allocation of OpenSSL in an exchange
// allocation_sweep first INTERVAL FILE   the same in the first exchange of a process
// allocation_sweep controls 1 FILE       sweep subjects that are known to fail
//
// Writes the outcome of each to FILE (see sweep.h).
#include "controls.h"
#include "sweep.h"

#include <QtCore/QCoreApplication>
#include <QtNetwork/QSslSocket>

#include <cstdio>
#include <cstdlib>

using namespace allocation;

namespace {

bool sweepExchange(const QString &start, quint64 interval)
{
    const Configurations configurations = Configurations::make();
    const auto exchange = [&configurations] { return runExchange(configurations); };
    const int rehearsals = start == u"first" ? 0 : 2;
    constexpr unsigned hangSeconds = 10; // a run takes a few milliseconds
    return Sweep(start.toLatin1(), exchange, rehearsals, hangSeconds).run(interval);
}

} // namespace

int main(int argc, char **argv)
{
    if (!allocator::install()) {
        std::fprintf(stderr, "OpenSSL does not take an allocator\n");
        return EXIT_FAILURE;
    }
    const QCoreApplication application(argc, argv);
    const QStringList arguments = application.arguments();
    const QString what = arguments.value(1);
    const quint64 interval = arguments.value(2).toULongLong();
    if (arguments.size() != 4 || interval == 0) {
        std::fprintf(stderr, "usage: allocation_sweep later|first|controls INTERVAL FILE\n");
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
    const bool swept = what == u"controls" ? sweepControls() : sweepExchange(what, interval);
    return swept ? EXIT_SUCCESS : EXIT_FAILURE;
}
