// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wire.h"

#include <sys/time.h>

#include <utility>

namespace bench {

void Wire::send(const void *data, size_t size)
{
    ++count;
    if (!discarding)
        underWay.push_back(
            { speaker.toServer, speaker.port, std::string(static_cast<const char *>(data), size) });
}

std::optional<Packet> Wire::take()
{
    if (underWay.empty())
        return {};
    Packet packet = std::move(underWay.front());
    underWay.pop_front();
    return packet;
}

std::optional<Packet> Wire::takeFor(bool server)
{
    if (underWay.empty() || underWay.front().toServer != server)
        return {};
    return take();
}

Wire &wire()
{
    thread_local Wire instance;
    return instance;
}

} // namespace bench

// OpenSSL reads its retransmission clock by this function. The clock stands still: nothing is lost
// on the wire, and a thousand handshakes that run at the same time may take longer than the second
// after which a flight would be sent again.
extern "C" int gettimeofday(struct timeval *now, void *) noexcept
{
    *now = { 1'000'000'000, 0 };
    return 0;
}
