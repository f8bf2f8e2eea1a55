// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_TIMER_P_H
#define QDTLSRS_TIMER_P_H

// First, because Qt's private OpenSSL headers rely on it.
#include "qsslsocket_openssl_symbols_p.h"

#include <qdtls_rs.h>

#include <QtCore/qbasictimer.h>
#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qobject.h>

#include <optional>

QT_BEGIN_NAMESPACE

class QDtls;

namespace QdtlsRs {

// Emits handshakeTimeout when Rust's retransmission timer runs out.
//
// It moves with the QDtls to another thread, without being its child: the application would see a
// child, and a timer that Qt moves cannot be stopped before the new thread's event loop has started
// it. So it watches for the move, stops, and belongs to no thread until it is started on the new
// one. A QDtls that is used on one thread and lives on another has its timer where it is used.
//
// The time in which the event loop stood still is no time of waiting: the answer may have arrived,
// or a peer on the same thread had no chance to send it.
class HandshakeTimer final : public QObject {
public:
    HandshakeTimer(QDtls *dtls, const qdtls_connection *connection);
    // Runs as long as Rust's timer. To be called after each call that may change that. False when
    // there is no memory for the timer.
    bool update();

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;
    void timerEvent(QTimerEvent *event) override;

private:
    void tryUpdate();
    std::optional<int> millisecondsLeft() const;
    void start(int milliseconds);
    std::optional<int> grace();
    void follow();
    void leaveThread();
    void updateOnNewThread();

    QDtls *q;
    const qdtls_connection *connection;
    bool follows = false; // watches for a move
    QBasicTimer timer;
    QDeadlineTimer due { QDeadlineTimer::Forever };
    int turns = 0; // of the event loop, since Rust's timer ran out
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_TIMER_P_H
