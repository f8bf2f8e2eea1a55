// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_TIMER_P_H
#define QDTLSRS_TIMER_P_H

#include <QtCore/qbasictimer.h>
#include <QtCore/qobject.h>

QT_BEGIN_NAMESPACE

class QDtls;

namespace QdtlsRs {

// Emits handshakeTimeout when OpenSSL's retransmission timer runs out. Belongs to the thread that
// created it.
class HandshakeTimer final : public QObject {
public:
    explicit HandshakeTimer(QDtls *dtls);
    void start(uint64_t microseconds);
    void stop() { timer.stop(); }

protected:
    void timerEvent(QTimerEvent *event) override;

private:
    QDtls *q;
    QBasicTimer timer;
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_TIMER_P_H
