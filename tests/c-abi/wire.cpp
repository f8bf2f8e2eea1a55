// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wire.h"
#include "cases.h"

#include <algorithm>

namespace harness {

namespace {

constexpr std::size_t recordHeader = 13;
constexpr std::size_t handshakeHeader = 12;

std::uint32_t number(const Bytes &bytes, std::size_t place, std::size_t size)
{
    CHECK(bytes.size() >= place + size);
    std::uint32_t value = 0;
    for (std::size_t i = place; i < place + size; ++i)
        value = value << 8 | bytes[i];
    return value;
}

Bytes bigEndian(std::uint32_t value, std::size_t size)
{
    Bytes bytes(size);
    for (std::size_t i = size; i-- > 0; value >>= 8)
        bytes[i] = std::uint8_t(value);
    return bytes;
}

void append(Bytes &to, const Bytes &part)
{
    to.insert(to.end(), part.begin(), part.end());
}

Bytes headerOf(const MessageHeader &header)
{
    Bytes bytes { header.kind };
    append(bytes, bigEndian(header.length, 3));
    append(bytes, bigEndian(header.sequence, 2));
    append(bytes, bigEndian(header.offset, 3));
    append(bytes, bigEndian(header.here, 3));
    return bytes;
}

} // namespace

std::vector<Bytes> recordsOf(const Bytes &datagram)
{
    std::vector<Bytes> records;
    for (std::size_t place = 0; place + recordHeader <= datagram.size();) {
        const std::size_t end = place + recordHeader + number(datagram, place + 11, 2);
        if (end > datagram.size())
            break;
        records.emplace_back(datagram.begin() + std::ptrdiff_t(place),
                             datagram.begin() + std::ptrdiff_t(end));
        place = end;
    }
    return records;
}

std::uint16_t epochOf(const Bytes &record)
{
    return std::uint16_t(number(record, 3, 2));
}

MessageHeader messageHeader(const Bytes &record)
{
    return { std::uint8_t(number(record, 13, 1)), number(record, 14, 3),
             std::uint16_t(number(record, 17, 2)), number(record, 19, 3), number(record, 22, 3) };
}

Bytes recordOf(std::uint8_t content, std::uint16_t epoch, const Bytes &fragment)
{
    // A number within the window against replay, which no record of these handshakes has.
    Bytes record { content, 0xfe, 0xfd };
    append(record, bigEndian(epoch, 2));
    append(record, { 0, 0, 0, 0, 0, 40 });
    append(record, bigEndian(std::uint32_t(fragment.size()), 2));
    append(record, fragment);
    return record;
}

Bytes message(std::uint8_t kind, std::uint16_t sequence, const Bytes &body)
{
    const auto length = std::uint32_t(body.size());
    Bytes bytes = headerOf({ kind, length, sequence, 0, length });
    append(bytes, body);
    return bytes;
}

Bytes withHeader(Bytes record, const MessageHeader &header)
{
    const Bytes bytes = headerOf(header);
    CHECK(record.size() >= recordHeader + handshakeHeader);
    std::copy(bytes.begin(), bytes.end(), record.begin() + recordHeader);
    return record;
}

} // namespace harness
