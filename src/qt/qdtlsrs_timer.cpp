// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_timer_p.h"

#include <QtNetwork/qdtls.h>

#include <QtCore/qcoreevent.h>

#include <algorithm>
#include <limits>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

HandshakeTimer::HandshakeTimer(QDtls *dtls)
    : q(dtls)
{
}

void HandshakeTimer::start(uint64_t microseconds)
{
    // Rounded up: never early.
    const uint64_t milliseconds = (microseconds + 999) / 1000;
    const auto interval = int(std::min<uint64_t>(milliseconds, std::numeric_limits<int>::max()));
    timer.start(interval, Qt::PreciseTimer, this);
}

void HandshakeTimer::timerEvent(QTimerEvent *event)
{
    if (event->timerId() != timer.timerId())
        return;
    timer.stop();
    // The last statement: the slot may delete the QDtls, and this timer with it.
    emit q->handshakeTimeout();
}

} // namespace QdtlsRs

QT_END_NAMESPACE
