// SPDX-License-Identifier: MIT OR Apache-2.0
//
// F15: a plugin that was built for another version of Qt.
#include "cases.h"
#include "other_qt.h"
#include "pair/loopback.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QFile>
#include <QtCore/QProcess>
#include <QtCore/QTextStream>
#include <QtTest/QTest>

#include <dlfcn.h>

// In the place of Qt's own, for every library in this process.
extern "C" Q_DECL_EXPORT const char *qVersion() noexcept
{
    static const QByteArray other = qgetenv("TST_HARDENING_QT_VERSION");
    static const auto real = reinterpret_cast<const char *(*)()>(dlsym(RTLD_NEXT, "qVersion"));
    return other.isEmpty() ? real() : other.constData();
}

namespace hardening {

class OtherQt : public QObject {
    Q_OBJECT
    Q_CLASSINFO("F15_plugin_for_another_Qt",
                "a plugin for another minor version of Qt says so, and Qt's own serves in its "
                "place")

private slots:
    void F15_plugin_for_another_Qt();
};

namespace {

const Registered<OtherQt> registration;

// The folder, for QT_PLUGIN_PATH, of the plugin under test.
QString pluginFolder()
{
    const QStringList folders = QCoreApplication::libraryPaths();
    for (const QString &folder : folders) {
        if (QFile::exists(folder + QStringLiteral("/tls/libqopensslbackend.so")))
            return folder;
    }
    return {};
}

struct Report {
    QByteArray text; // of printBackends()
    QByteArray warnings;
};

// What a program with this version of Qt finds when Qt's own plugin follows the one under test.
Report reportOf(const QString &version)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("QT_PLUGIN_PATH"),
                       pluginFolder() + QStringLiteral(":" QT_PLUGINS_DIR));
    environment.insert(QStringLiteral("TST_HARDENING_QT_VERSION"), version);
    // The log would name Qt's own plugin, which is not under test.
    environment.remove(QStringLiteral("LD_DEBUG"));
    QProcess child;
    child.setProcessEnvironment(environment);
    child.start(QCoreApplication::applicationFilePath(), { QStringLiteral("--backends") });
    child.waitForFinished();
    return { child.readAllStandardOutput(), child.readAllStandardError() };
}

// What Qt's own plugin does; on 32-bit ARM it cannot shake hands (S34).
#ifdef Q_PROCESSOR_ARM_32
constexpr auto byQt = "1 incomplete";
#else
constexpr auto byQt = "1 complete";
#endif

} // namespace

int printBackends()
{
    const auto backends = QSslSocket::availableBackends().count(QStringLiteral("openssl"));
    Loopback link;
    const bool complete = link.handshake();
    QTextStream(stdout) << backends << (complete ? " complete" : " incomplete");
    return 0;
}

void OtherQt::F15_plugin_for_another_Qt()
{
    const QString version = QString::fromLatin1(qVersion());
    QCOMPARE(reportOf(version).text, "2 complete");

    const Report other = reportOf(QStringLiteral("6.99.0"));
    QCOMPARE(other.text, byQt);
    QVERIFY2(other.warnings.contains("QT_PLUGIN_PATH"), other.warnings);
    QVERIFY2(other.warnings.contains(version.toLatin1()), other.warnings);
    QVERIFY2(other.warnings.contains("6.99.0"), other.warnings);
}

} // namespace hardening

#include "other_qt.moc"
