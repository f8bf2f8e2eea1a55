// SPDX-License-Identifier: MIT OR Apache-2.0
#include "coap.h"

namespace interop::coap {

namespace {

// RFC 7252, section 3: version 1, type, length of the token.
constexpr char confirmable = 0x40;
constexpr char acknowledgement = 0x60;
constexpr char reset = 0x70;
constexpr char contentCode = 0x45;
constexpr char payloadMarker = char(0xff);
constexpr qsizetype headerSize = 4;

} // namespace

QByteArray ping()
{
    return QByteArray(1, confirmable) + QByteArray(1, 0) + QByteArray("id");
}

bool isReset(const QByteArray &message)
{
    return message.startsWith(reset) && message.endsWith("id");
}

QByteArray answerTo(const QByteArray &request)
{
    if (request.size() < headerSize)
        return {};
    const int tokenLength = request[0] & 0x0f;
    return QByteArray(1, char(acknowledgement | tokenLength)) + QByteArray(1, contentCode)
        + request.mid(2, 2 + tokenLength) + QByteArray(1, payloadMarker) + "answered";
}

} // namespace interop::coap
