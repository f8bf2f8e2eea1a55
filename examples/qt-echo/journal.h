// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "actor.h"

#include <QEventLoop>
#include <QList>
#include <QString>

#include <chrono>

/// Prints what the actors report, one line each, and lets a step wait for what it must see.
class Journal : public QObject {
public:
    /// Starts a headed step; what was seen before no longer counts.
    void beginStep(const QString &title);
    QString currentStep() const { return m_step; }

    void note(const QString &who, const QString &what);
    void follow(const Actor &actor);

    /// Runs the event loop until `actor` has reported `event` in this step; returns its detail.
    /// Throws Failure when any actor has failed or the deadline has passed.
    QString await(const Actor &actor, Event event);

    /// The deadline for everything awaited from now on, together.
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
