// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The two messages of CoAP (RFC 7252) that show whether a connection carries data.
#pragma once

#include <QtCore/QByteArray>

namespace interop::coap {

// An empty confirmable message, which a peer must answer with a reset (section 4.3).
QByteArray ping();
bool isReset(const QByteArray &message);

// The answer 2.05 to a request (section 5.2.1), with its token.
QByteArray answerTo(const QByteArray &request);

} // namespace interop::coap
