// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "actor.h"

#include <QEventLoop>
#include <QList>
#include <QString>

#include <chrono>

/// Prints the reports of the actors, one line each; a step can wait for a report.
class Journal : public QObject {
public:
    /// Starts a step with a heading; earlier reports no longer count.
    void beginStep(const QString &title);
    QString currentStep() const { return m_step; }

    void note(const QString &who, const QString &what);
    void follow(const Actor &actor);

    /// Runs the event loop until `actor` has reported `event` in this step. Returns its detail.
    /// Throws Failure if any actor fails or the deadline passes.
    QString await(const Actor &actor, Event event);

    /// Sets one deadline for all later waits together.
    void setDeadline(std::chrono::seconds limit);

private:
    struct Entry {
        const Actor *actor;
        Event event;
        QString detail;
    };

    void record(const Entry &entry, const QString &peer);
    void fail(const QString &why);

    QString m_step;
    QList<Entry> m_seen;
    QString m_failure;
    bool m_expired = false;
    QEventLoop m_news;
};
