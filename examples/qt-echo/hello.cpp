// SPDX-License-Identifier: MIT OR Apache-2.0
#include "hello.h"

#include <QDataStream>

using namespace Qt::StringLiterals;

namespace {

constexpr quint8 HandshakeContentType = 22;

/// DTLSPlaintext: the record header, before the messages of the first, unencrypted epoch.
bool readRecordHeader(QDataStream &in)
{
    constexpr int sequenceNumberAndLength = 6 + 2;
    quint8 contentType = 0;
    quint16 version = 0, epoch = 0;
    in >> contentType >> version >> epoch;
    in.skipRawData(sequenceNumberAndLength);
    return contentType == HandshakeContentType && epoch == 0;
}

/// The handshake header; later fragments of a message contain none of the fields read here.
std::optional<quint8> readHandshakeType(QDataStream &in)
{
    constexpr int lengthAndSequence = 3 + 2;
    constexpr int fragmentLength = 3;
    quint8 type = 0, offsetHigh = 0;
    quint16 offsetLow = 0;
    in >> type;
    in.skipRawData(lengthAndSequence);
    in >> offsetHigh >> offsetLow;
    in.skipRawData(fragmentLength);
    if (offsetHigh || offsetLow)
        return std::nullopt;
    return type;
}

/// Skips a vector with a one-byte length; returns the length if the vector is complete.
std::optional<quint8> skipVector(QDataStream &in)
{
    quint8 length = 0;
    in >> length;
    if (in.status() != QDataStream::Ok || in.skipRawData(length) != length)
        return std::nullopt;
    return length;
}

} // namespace

QString Hello::cookieText() const
{
    return cookieLength ? u"cookie of %1 bytes"_s.arg(cookieLength) : u"no cookie"_s;
}

std::optional<Hello> parseHello(const QByteArray &datagram)
{
    constexpr int versionLength = 2;
    constexpr int randomLength = 32;

    QDataStream in(datagram);
    if (!readRecordHeader(in))
        return std::nullopt;
    const auto type = readHandshakeType(in);
    if (type != Hello::ClientHello && type != Hello::HelloVerifyRequest)
        return std::nullopt;

    in.skipRawData(versionLength);
    if (type == Hello::ClientHello) {
        in.skipRawData(randomLength);
        if (!skipVector(in)) // session_id
            return std::nullopt;
    }
    const auto cookieLength = skipVector(in);
    if (!cookieLength)
        return std::nullopt;
    return Hello { Hello::Type(*type), *cookieLength };
}
