// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Clients and a server that complete handshakes by way of a relay, which loses datagrams. Prints a
// line for each handshake: its number, milliseconds, and `completed`, `failed` or `late`.
//
//   dtls_lossy FOLDER CERTIFICATE MTU_HINT LIMIT_MS SPACING_MS CONTROL FRONT:BACK...

#include "configurations.h"
#include "run.h"

#include <QtCore/QCoreApplication>

#include <cstdio>

using namespace lossy;

namespace {

// False when the arguments are not right.
bool readArguments(const QStringList &arguments, Settings &settings)
{
    if (arguments.size() < 8)
        return false;
    settings.mtuHint = arguments[3].toInt();
    settings.limitMs = arguments[4].toInt();
    settings.spacingMs = arguments[5].toInt();
    settings.control = arguments[6].toUShort();
    for (const QString &link : arguments.mid(7)) {
        const QStringList ports = link.split(u':');
        settings.links << Ports { ports.value(0).toUShort(), ports.value(1).toUShort() };
    }
    return configure(settings, arguments[1], arguments[2]);
}

} // namespace

int main(int count, char **texts)
{
    const QCoreApplication application(count, texts);
    Settings settings;
    if (!readArguments(application.arguments(), settings)) {
        std::fputs("wrong arguments, or no certificates\n", stderr);
        return 2;
    }
    Run run(settings);
    QObject::connect(&run, &Run::finished, &application, &QCoreApplication::quit,
                     Qt::QueuedConnection);
    return run.start() ? application.exec() : 2;
}
