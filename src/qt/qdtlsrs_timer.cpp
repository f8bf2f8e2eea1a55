// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_timer_p.h"

#include "qdtlsrs_memory_p.h"

#include <QtNetwork/qdtls.h>

#include <QtCore/qcoreevent.h>
#include <QtCore/qmetaobject.h>
#include <QtCore/qthread.h>

#include <algorithm>
#include <limits>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

HandshakeTimer::HandshakeTimer(QDtls *dtls, const qdtls_connection *connection)
    : q(dtls)
    , connection(connection)
{
    follow();
}

bool HandshakeTimer::update()
{
    return hasMemoryFor([this] { tryUpdate(); });
}

void HandshakeTimer::tryUpdate()
{
    if (!thread()) {
        if (q->thread() != QThread::currentThread())
            return updateOnNewThread();
        moveToThread(q->thread());
    }
    if (thread() != QThread::currentThread())
        return; // its own thread alone can start and stop it
    follow();
    const auto left = millisecondsLeft();
    if (!left)
        return timer.stop();
    if (*left > 0)
        turns = 0;
    start(*left);
}

// One that is overdue stays so.
void HandshakeTimer::start(int milliseconds)
{
    if (milliseconds > 0)
        due.setRemainingTime(milliseconds, Qt::PreciseTimer);
    timer.start(milliseconds, Qt::PreciseTimer, this);
}

// Nothing while an operation is under way (F2).
std::optional<int> HandshakeTimer::millisecondsLeft() const
{
    bool running = false;
    uint64_t microseconds = 0;
    qdtls_connection_timeout(connection, &running, &microseconds);
    if (!running)
        return {};
    // Rounded up: never early.
    const uint64_t milliseconds = (microseconds + 999) / 1000;
    return int(std::min<uint64_t>(milliseconds, std::numeric_limits<int>::max()));
}

// The event loop first gets a few turns to take what has arrived, without waiting for more. Where
// it stood still they take as long as that, since a peer on the same thread could not answer; but
// in all no longer than the first interval of RFC 6347, 4.2.4.1.
std::optional<int> HandshakeTimer::grace()
{
    constexpr int mostTurns = 4;
    constexpr int longestMs = 250;
    constexpr int standstillMs = 50;
    if (turns == mostTurns)
        return {};
    ++turns;
    const qint64 late = QDeadlineTimer::current(Qt::PreciseTimer).deadline() - due.deadline();
    return late < standstillMs ? 0 : int(std::min<qint64>(late, longestMs));
}

// Watches for a move of the QDtls, which only an object on the same thread can do.
void HandshakeTimer::follow()
{
    if (follows || q->thread() != thread())
        return;
    q->installEventFilter(this);
    follows = true;
}

bool HandshakeTimer::eventFilter(QObject *, QEvent *event)
{
    if (event->type() == QEvent::ThreadChange)
        (void)hasMemoryFor([this] { leaveThread(); });
    return false;
}

// The QDtls is about to move. It is not known where to, but what is posted to it moves along.
void HandshakeTimer::leaveThread()
{
    timer.stop();
    q->removeEventFilter(this);
    follows = false;
    moveToThread(nullptr);
    updateOnNewThread();
}

// When the operation in which the QDtls has moved is under way, this is called again at its end.
void HandshakeTimer::updateOnNewThread()
{
    if (millisecondsLeft())
        QMetaObject::invokeMethod(
            q, [this] { (void)update(); }, Qt::QueuedConnection);
}

void HandshakeTimer::timerEvent(QTimerEvent *event)
{
    if (event->timerId() != timer.timerId())
        return;
    timer.stop();
    // In an event loop of a slot: the operation below it updates the timer when it returns.
    if (!millisecondsLeft())
        return;
    if (const auto wait = grace())
        return start(*wait);
    // The last statement: the slot may move the QDtls, or delete it and this timer with it.
    emit q->handshakeTimeout();
}

} // namespace QdtlsRs

QT_END_NAMESPACE
