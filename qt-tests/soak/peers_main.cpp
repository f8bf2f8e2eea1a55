// SPDX-License-Identifier: MIT OR Apache-2.0
//
// soak_peers PORT PEERS SECONDS FLOOD_PER_SECOND FLOOD_SECONDS: peers of the server at that port,
// for so long, then also a flood. Prints what they did: a name and a number on each line.

#include "flood.h"
#include "peer.h"

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

using namespace soak;

namespace {

std::uint64_t nowMs()
{
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::uint64_t(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

SSL_CTX *newContext()
{
    SSL_CTX *const context = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

void print(const Counts &counts, std::uint64_t flooded)
{
    const std::pair<const char *, std::uint64_t> lines[] = {
        { "handshakes", counts.handshakes },
        { "failed", counts.failures },
        { "slowest_ms", counts.slowestMs },
        { "echoes", counts.echoes },
        { "lost", counts.lost },
        { "closed", counts.closed },
        { "vanished", counts.vanished },
        { "restarted", counts.restarted },
        { "renegotiated", counts.renegotiated },
        { "replayed", counts.replayed },
        { "junk", counts.junk },
        { "flooded", flooded },
    };
    for (const auto &[name, number] : lines)
        std::printf("%s\t%llu\n", name, static_cast<unsigned long long>(number));
}

// Each peer acts as often as this, and in between when something has come for it.
constexpr int turnMs = 50;

void run(std::vector<std::unique_ptr<Peer>> &peers, int poll, unsigned seconds)
{
    const std::uint64_t end = nowMs() + seconds * std::uint64_t(1000);
    std::uint64_t turn = 0;
    while (nowMs() < end) {
        if (nowMs() >= turn + turnMs) {
            turn = nowMs();
            for (const auto &peer : peers)
                peer->act(turn);
        }
        std::array<epoll_event, 256> events;
        const int ready = epoll_wait(poll, events.data(), int(events.size()), turnMs);
        for (int i = 0; i < ready; ++i)
            static_cast<Peer *>(events[std::size_t(i)].data.ptr)->act(nowMs());
    }
}

} // namespace

int main(int count, char **texts)
{
    if (count != 6)
        return 2;
    std::array<unsigned, 5> numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = unsigned(std::strtoul(texts[i + 1], nullptr, 10));
    const auto [port, peerCount, seconds, perSecond, floodSeconds] = numbers;
    SSL_CTX *const context = newContext();
    const int poll = epoll_create1(0);
    Counts counts;
    std::vector<std::unique_ptr<Peer>> peers;
    for (unsigned i = 0; i < peerCount; ++i)
        peers.push_back(std::make_unique<Peer>(context, std::uint16_t(port), poll, i, counts));
    run(peers, poll, seconds);
    std::uint64_t flooded = 0;
    std::thread attacker(
        [&] { flooded = flood(context, std::uint16_t(port), perSecond, floodSeconds); });
    run(peers, poll, floodSeconds);
    attacker.join();
    print(counts, flooded);
}
