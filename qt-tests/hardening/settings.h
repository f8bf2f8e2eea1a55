// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The backend's settings. It reads each variable once, at first use, and every case has a process
// to itself: a case calls these before it touches QDtls. A backend without these settings runs on
// its own values.
#pragma once

#include <QtCore/QByteArray>

namespace hardening {

inline void setBackend(const char *variable, int value)
{
    qputenv(variable, QByteArray::number(value));
}

inline void setRetransmission(int initialMs, int maximumMs)
{
    setBackend("QDTLS_TIMEOUT_INITIAL_MS", initialMs);
    setBackend("QDTLS_TIMEOUT_MAX_MS", maximumMs);
}

} // namespace hardening
