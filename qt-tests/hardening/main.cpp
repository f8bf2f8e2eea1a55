// SPDX-License-Identifier: MIT OR Apache-2.0
//
// tst_hardening                    run every case, print the table; exit 1 unless all are right
// tst_hardening --outcomes FILE [BEGINNING...]
//                                  run every case, write the table to FILE; without the cases
//                                  whose names begin so
// tst_hardening --list             name and describe the cases
// tst_hardening CASE [QtTest options]
//
// A table is made by running each case in a process of its own, so that a crash costs one row.
#include "cases.h"
#include "other_qt.h"
#include "outcomes.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QFile>
#include <QtCore/QFileInfo>
#include <QtCore/QTextStream>
#include <QtNetwork/QNetworkProxyFactory>
#include <QtNetwork/QSslSocket>
#include <QtTest/QTest>

using namespace hardening;

namespace {

// Qt takes the installed plugin when it cannot load the selected one: then a result would be
// entered under the wrong name.
bool selectedPluginIsLoaded()
{
    const QString selected = QFileInfo(qEnvironmentVariable("QT_PLUGIN_PATH")).canonicalFilePath();
    if (selected.isEmpty())
        return !qEnvironmentVariableIsSet("QT_PLUGIN_PATH");
    QSslSocket::availableBackends(); // loads them
    QFile maps(QStringLiteral("/proc/self/maps"));
    return maps.open(QIODevice::ReadOnly) && maps.readAll().contains(selected.toUtf8() + "/tls/");
}

int runCase(const QStringList &arguments)
{
    if (!selectedPluginIsLoaded())
        return pluginNotLoaded;
    const QByteArray name = arguments.at(1).toLatin1();
    for (const Theme &theme : themes()) {
        if (theme.meta->indexOfSlot(name + "()") >= 0)
            return QTest::qExec(theme.create().get(), arguments);
    }
    QTextStream(stderr) << "no such case: " << name << Qt::endl;
    return 2;
}

int list()
{
    QTextStream out(stdout);
    for (const Case &one : allCases())
        out << one.name << '\t' << one.description << '\n';
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    // Looked up for each socket otherwise, on a thread of its own.
    QNetworkProxyFactory::setUseSystemConfiguration(false);
    const QStringList arguments = application.arguments();
    const QString first = arguments.value(1);

    if (first == u"--list")
        return list();
    if (first == u"--outcomes" && arguments.size() >= 3)
        return writeOutcomes(arguments.at(2), arguments.mid(3));
    if (first == u"--backends") // for F15's case
        return printBackends();
    if (first.isEmpty())
        return printOutcomes();
    return runCase(arguments);
}
