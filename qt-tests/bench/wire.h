// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The network of the benchmarks: a queue in memory between one server and any number of clients,
// identified by their port. Nothing is lost, delayed or reordered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace bench {

struct Packet {
    bool toServer;
    uint16_t port; // the client's
    std::string data;
};

class Wire {
public:
    // Whose datagrams send() takes until the next call of either.
    void clientSpeaks(uint16_t port) { speaker = { true, port, {} }; }
    void serverSpeaks(uint16_t port) { speaker = { false, port, {} }; }

    void send(const void *data, size_t size);
    // The oldest datagram under way.
    std::optional<Packet> take();
    // The oldest one, if it goes to this side.
    std::optional<Packet> takeFor(bool server);

    // Count what is sent and throw it away.
    void setDiscarding(bool enable) { discarding = enable; }
    size_t sent() const { return count; }

private:
    Packet speaker = { true, 0, {} };
    std::deque<Packet> underWay;
    size_t count = 0;
    bool discarding = false;
};

// Each thread has one of its own.
Wire &wire();

} // namespace bench
