// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Runs cases in child processes and tabulates how they end.
#pragma once

#include <QtCore/QByteArray>
#include <QtCore/QList>
#include <QtCore/QString>
#include <QtCore/QStringList>

namespace hardening {

// The exit code of a case that did not get the plugin of QT_PLUGIN_PATH.
constexpr int pluginNotLoaded = 3;

struct Case {
    QByteArray name;
    QByteArray description;

    // "S3" of "S3_abort_in_pskRequired".
    QByteArray finding() const { return name.left(name.indexOf('_')); }
};

// Every case of every theme, ordered by finding.
QList<Case> allCases();

// One tab-separated line per case: name, finding, outcome, description. The outcome is one of
//   right | wrong:<first failure> | crash:<signal> | hang
// Cases whose names begin with one of `except` are left out.
// Returns a process exit code: 0 when the table is complete, whatever it says.
int writeOutcomes(const QString &fileName, const QStringList &except);

// The same table on standard output; 0 only when every outcome is right.
int printOutcomes();

} // namespace hardening
