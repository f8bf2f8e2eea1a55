// SPDX-License-Identifier: MIT OR Apache-2.0
#include "outcomes.h"

#include "cases.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QMetaClassInfo>
#include <QtCore/QMetaMethod>
#include <QtCore/QProcess>
#include <QtCore/QRegularExpression>
#include <QtCore/QSaveFile>
#include <QtCore/QTemporaryDir>
#include <QtCore/QTextStream>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <tuple>
#include <vector>

namespace hardening {

namespace {

// A checker that slows the cases down sets a longer timeout.
int caseTimeoutMs()
{
    bool given = false;
    const int value = qEnvironmentVariableIntValue("TST_HARDENING_CASE_TIMEOUT_MS", &given);
    return given ? value : 30'000;
}

QByteArray descriptionOf(const QMetaObject *meta, const QByteArray &name)
{
    const int index = meta->indexOfClassInfo(name);
    return index < 0 ? "" : meta->classInfo(index).value();
}

bool isCase(const QByteArray &slot)
{
    static const QRegularExpression pattern(QStringLiteral("^[RSFAEI][0-9]+_"));
    return pattern.match(QLatin1StringView(slot)).hasMatch();
}

// The order of the findings' tables: R1 before R2 before R10 before S1 before F1.
auto orderOf(const Case &one)
{
    const QByteArray finding = one.finding();
    const auto table = QByteArrayView("RSFAEI").indexOf(finding.at(0));
    return std::make_tuple(table, finding.mid(1).toInt(), one.name);
}

QByteArray signalName(int number)
{
    switch (number) {
    case SIGSEGV:
        return "SIGSEGV";
    case SIGABRT:
        return "SIGABRT";
    case SIGBUS:
        return "SIGBUS";
    case SIGFPE:
        return "SIGFPE";
    case SIGILL:
        return "SIGILL";
    default:
        return "signal " + QByteArray::number(number);
    }
}

// QtTest's text of the first failure or skip, on one line and without the table's separator; empty
// for none.
QByteArray firstFailure(const QByteArray &log)
{
    static const QRegularExpression failure(
        QStringLiteral(R"(^(?:FAIL!|SKIP) +: [\w:]+\(.*?\) (.*?)(?=^ +Loc:|^[A-Z]))"),
        QRegularExpression::MultilineOption | QRegularExpression::DotMatchesEverythingOption);
    const QRegularExpressionMatch match = failure.match(QString::fromUtf8(log));
    if (!match.hasMatch())
        return {};
    QString text = match.captured(1).simplified();
    if (text.endsWith(u" ()")) // a check without a message of its own
        text.chop(3);
    return text.toUtf8();
}

QByteArray lastLine(const QByteArray &text)
{
    return text.trimmed().split('\n').last().simplified();
}

// A skipped case has no such line.
bool passed(const QByteArray &log, const Case &one)
{
    const QRegularExpression pass("^PASS +: [\\w:]+::" + one.name + "\\(\\)$",
                                  QRegularExpression::MultilineOption);
    return pass.match(QString::fromUtf8(log)).hasMatch();
}

QProcessEnvironment cleanEnvironment()
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const QString &name : environment.keys()) {
        if (name.startsWith(u"QDTLS_"))
            environment.remove(name);
    }
    return environment;
}

QByteArray outcomeOf(const Case &one)
{
    const QTemporaryDir scratch; // a core file, if the system writes one, goes away with it
    QProcess child;
    child.setWorkingDirectory(scratch.path());
    child.setProcessEnvironment(cleanEnvironment());
    child.start(QCoreApplication::applicationFilePath(),
                { QString::fromLatin1(one.name), QStringLiteral("-nocrashhandler") });
    if (!child.waitForFinished(caseTimeoutMs())) {
        const bool started = child.error() != QProcess::FailedToStart;
        child.kill();
        child.waitForFinished();
        return started ? "hang" : "wrong:the process did not start";
    }
    if (child.exitStatus() == QProcess::CrashExit)
        return "crash:" + signalName(child.exitCode());

    if (child.exitCode() == pluginNotLoaded)
        return "wrong:the plugin of QT_PLUGIN_PATH could not be loaded";
    const QByteArray log = child.readAllStandardOutput();
    if (child.exitCode() == 0 && passed(log, one))
        return "right";
    // A sanitizer sums up its findings in the last line, after QtTest.
    const QByteArray failure = firstFailure(log);
    return "wrong:" + (failure.isEmpty() ? lastLine(child.readAllStandardError()) : failure);
}

bool isOneOf(const Case &one, const QStringList &beginnings)
{
    return std::any_of(beginnings.begin(), beginnings.end(), [&one](const QString &beginning) {
        return one.name.startsWith(beginning.toLatin1());
    });
}

// Calls row() with the line of each case as soon as it and those before it are known; true when all
// were right. They wait most of the time, so two run at once.
bool tabulate(const QStringList &except, const std::function<void(const QByteArray &)> &row)
{
    QList<Case> cases = allCases();
    cases.removeIf([&except](const Case &one) { return isOneOf(one, except); });
    std::vector<std::promise<QByteArray>> outcomes(std::size_t(cases.size()));
    std::atomic<std::size_t> next { 0 };
    const auto work = [&] {
        for (std::size_t i = next++; i < outcomes.size(); i = next++)
            outcomes[i].set_value(outcomeOf(cases.at(qsizetype(i))));
    };
    const std::future<void> workers[] = { std::async(std::launch::async, work),
                                          std::async(std::launch::async, work) };

    bool allRight = true;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const Case &one = cases.at(qsizetype(i));
        const QByteArray outcome = outcomes[i].get_future().get();
        allRight = allRight && outcome == "right";
        row(one.name + '\t' + one.finding() + '\t' + outcome + '\t' + one.description + '\n');
    }
    return allRight;
}

} // namespace

QList<Case> allCases()
{
    QList<Case> cases;
    for (const Theme &theme : themes()) {
        for (int i = theme.meta->methodOffset(); i < theme.meta->methodCount(); ++i) {
            const QByteArray name = theme.meta->method(i).name();
            if (!isCase(name))
                continue;
            const QByteArray description = descriptionOf(theme.meta, name);
            if (description.isEmpty())
                qFatal("%s has no description (Q_CLASSINFO)", name.constData());
            if (name.endsWith("_data"))
                qFatal("%s: QtTest takes this name for a data function", name.constData());
            cases.push_back({ name, description });
        }
    }
    std::sort(cases.begin(), cases.end(),
              [](const Case &a, const Case &b) { return orderOf(a) < orderOf(b); });
    return cases;
}

int writeOutcomes(const QString &fileName, const QStringList &except)
{
    QSaveFile file(fileName);
    if (!file.open(QIODevice::WriteOnly)) {
        QTextStream(stderr) << fileName << ": " << file.errorString() << Qt::endl;
        return 2;
    }
    tabulate(except, [&file](const QByteArray &line) { file.write(line); });
    return file.commit() ? 0 : 2;
}

int printOutcomes()
{
    QTextStream out(stdout);
    return tabulate({}, [&out](const QByteArray &line) { out << line << Qt::flush; }) ? 0 : 1;
}

} // namespace hardening
