// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Datagrams of a server, many in a system call: recvmmsg(2) and sendmmsg(2), in which equally long
// ones to one peer are one message, which the system cuts (udp(7), UDP_SEGMENT).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <vector>

namespace bench {

constexpr std::size_t batchSize = 64;

struct Datagram {
    const std::uint8_t *bytes;
    std::size_t length;
};

class Datagrams {
public:
    explicit Datagrams(int socket);

    // Reads what waits, and returns how many datagrams. If that is `batchSize`, there may be more.
    std::size_t receive();
    const sockaddr_in &sender(std::size_t index) const { return names[index]; }
    Datagram datagram(std::size_t index) const
    {
        return { slots[index].data(), incoming[index].msg_len };
    }

    void send(const sockaddr_in &to, const void *bytes, std::size_t length);
    void flush();

private:
    // None of the load's is longer.
    using Slot = std::array<std::uint8_t, 2048>;
    struct Control {
        alignas(cmsghdr) std::uint8_t bytes[CMSG_SPACE(sizeof(std::uint16_t))];
    };
    // Datagrams that are one message.
    struct Run {
        sockaddr_in to;
        std::size_t start, length, each, count;
        bool open; // for more of them
    };
    void setSize(msghdr &header, Control &control, std::uint16_t each);

    const int socket;
    std::vector<Slot> slots;
    std::array<sockaddr_in, batchSize> names {};
    std::array<iovec, batchSize> inputs {}, outputs {};
    std::array<mmsghdr, batchSize> incoming {}, outgoing {};
    std::array<Control, batchSize> controls {};
    std::vector<Run> runs;
    std::vector<std::uint8_t> waiting;
};

} // namespace bench
