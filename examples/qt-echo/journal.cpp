// SPDX-License-Identifier: MIT OR Apache-2.0
#include "journal.h"

#include "failure.h"

#include <QTextStream>
#include <QTimer>

#include <algorithm>

using namespace Qt::StringLiterals;

static QTextStream &out()
{
    static QTextStream stream(stdout);
    return stream;
}

void Journal::beginStep(const QString &title)
{
    m_step = title;
    m_seen.clear();
    out() << "\n== " << title << " ==" << Qt::endl;
}

void Journal::note(const QString &who, const QString &what)
{
    out() << "  " << who.leftJustified(8) << what << Qt::endl;
}

void Journal::follow(const Actor &actor)
{
    connect(&actor, &Actor::happened, this,
            [this, &actor](Event event, const QString &detail, const QString &peer) {
                record({ &actor, event, detail }, peer);
            });
    connect(&actor, &Actor::failed, this,
            [this, &actor](const QString &why) { fail(actor.objectName() + u": "_s + why); });
}

QString Journal::await(const Actor &actor, Event event)
{
    for (;;) {
        if (!m_failure.isEmpty())
            throw Failure(m_failure);
        const auto seen = std::find_if(m_seen.cbegin(), m_seen.cend(), [&](const Entry &entry) {
            return entry.actor == &actor && entry.event == event;
        });
        if (seen != m_seen.cend())
            return seen->detail;
        if (m_expired)
            throw Failure(
                u"time is up, still waiting for %1: %2"_s.arg(actor.objectName(), describe(event)));
        m_news.exec();
    }
}

void Journal::setDeadline(std::chrono::seconds limit)
{
    QTimer::singleShot(limit, this, [this] {
        m_expired = true;
        m_news.quit();
    });
}

void Journal::record(const Entry &entry, const QString &peer)
{
    QString line = describe(entry.event);
    if (!entry.detail.isEmpty())
        line += u": "_s + entry.detail;
    if (!peer.isEmpty())
        line += u"  ("_s + peer + u')';
    note(entry.actor->objectName(), line);

    m_seen.append(entry);
    m_news.quit();
}

void Journal::fail(const QString &why)
{
    out() << "  FAILED  " << why << Qt::endl;
    // The first failure is the cause; later ones are consequences.
    if (m_failure.isEmpty())
        m_failure = why;
    m_news.quit();
}
