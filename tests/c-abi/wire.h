// SPDX-License-Identifier: MIT OR Apache-2.0
// DTLS as bytes (RFC 6347, 4), to look into datagrams and to forge them.
#ifndef HARNESS_WIRE_H
#define HARNESS_WIRE_H

#include "endpoint.h"

namespace harness {

// The header of a handshake message fragment.
struct MessageHeader {
    std::uint8_t kind;
    std::uint32_t length;
    std::uint16_t sequence;
    std::uint32_t offset;
    std::uint32_t here;
};

// The whole records of a datagram, headers included.
std::vector<Bytes> recordsOf(const Bytes &datagram);
std::uint16_t epochOf(const Bytes &record);
// The header of the first message of a record.
MessageHeader messageHeader(const Bytes &record);

Bytes recordOf(std::uint8_t content, std::uint16_t epoch, const Bytes &fragment);
// A handshake message in one fragment.
Bytes message(std::uint8_t kind, std::uint16_t sequence, const Bytes &body);
// The record with another header of its first message.
Bytes withHeader(Bytes record, const MessageHeader &header);

} // namespace harness

#endif
