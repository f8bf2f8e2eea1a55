// SPDX-License-Identifier: MIT OR Apache-2.0
// A UDP socket on IPv4, of POSIX or Windows.
#ifndef HARNESS_UDP_H
#define HARNESS_UDP_H

#include "wire.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace harness {

constexpr std::uint32_t loopback = 0x7f000001;
constexpr std::uint32_t anyAddress = 0;

class UdpSocket {
public:
    // A port of the system's choice.
    explicit UdpSocket(std::uint32_t ip = loopback, std::uint16_t port = 0);
    ~UdpSocket();
    UdpSocket(const UdpSocket &) = delete;
    UdpSocket &operator=(const UdpSocket &) = delete;

    std::uint16_t port() const;
    void connectTo(std::uint32_t ip, std::uint16_t port) const;
    // To a peer on the loopback interface.
    void send(const Bytes &datagram, std::uint16_t port) const;
    bool isReadable() const;

    // As the library takes it.
    const std::ptrdiff_t handle;
};

// Returns when one can be read, or the time is over.
void waitForOneOf(const std::vector<const UdpSocket *> &sockets, int milliseconds);

} // namespace harness

#endif
