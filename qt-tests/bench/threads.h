// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A server on one thread, and on two at the same time: each has a socket and connections of its
// own, and all share the contexts. The clients never work while a server does.
#pragma once

#include "exchange.h"
#include "raw_stack.h"
#include "settings.h"

#include <algorithm>
#include <string>
#include <vector>

#include <pthread.h>
#include <sched.h>

namespace bench {

class Barrier {
public:
    explicit Barrier(unsigned threads) { pthread_barrier_init(&barrier, nullptr, threads); }
    ~Barrier() { pthread_barrier_destroy(&barrier); }
    Barrier(const Barrier &) = delete;
    Barrier &operator=(const Barrier &) = delete;

    void wait() { pthread_barrier_wait(&barrier); }

private:
    pthread_barrier_t barrier;
};

// The system would have threads that wake each other share a processor.
inline void stayOnProcessor(size_t number)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(number, &set);
    require(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0, "a second processor");
}

// When a server worked, by the clock on the wall, which also runs while it waits for a lock.
struct Turn {
    double start, end;
};

// The turns of a server for a number of handshakes: first hellos, second hellos, the clients' last
// flights, and the destruction of the connections.
template <typename Stack>
void takeTurns(Stack &stack, RawStack &clients, Barrier &barrier, int peers,
               std::vector<Turn> &turns)
{
    Exchange<Stack, RawStack> exchange(stack, clients, size_t(peers));
    const auto takeTurn = [&](auto work) {
        barrier.wait();
        const double start = wallTime();
        work();
        turns.push_back({ start, wallTime() });
        barrier.wait();
    };
    exchange.startClients();
    for (int flight = 0; flight < 3; ++flight) {
        takeTurn([&] { exchange.serverTurn(); });
        exchange.clientTurn();
    }
    exchange.requireComplete();
    takeTurn([&] { exchange.servers.clear(); });
}

constexpr size_t turnsOfBatch = 4;

// Of all threads together: a turn lasts from the first one's start to the last one's end.
inline double timeOfBatch(const std::vector<std::vector<Turn>> &threads, size_t batch)
{
    double sum = 0;
    for (size_t turn = batch * turnsOfBatch; turn < (batch + 1) * turnsOfBatch; ++turn) {
        Turn whole = threads[0][turn];
        for (const auto &turns : threads) {
            whole.start = std::min(whole.start, turns[turn].start);
            whole.end = std::max(whole.end, turns[turn].end);
        }
        sum += whole.end - whole.start;
    }
    return sum;
}

// Nanoseconds for one handshake, on all threads together.
template <typename Stack>
double timeOnThreads(const Stack &shared, const Settings &common, int threads, int batches)
{
    constexpr int peers = 20;
    Barrier barrier { unsigned(threads) };
    std::vector<std::vector<Turn>> turns { size_t(threads) };
    std::vector<typename Stack::Thread> running;
    for (size_t number = 0; number < turns.size(); ++number) {
        running.emplace_back([&, number] {
            stayOnProcessor(number);
            Stack stack(shared);
            RawStack clients(common);
            for (int batch = 0; batch <= batches; ++batch)
                takeTurns(stack, clients, barrier, peers, turns[number]);
        });
    }
    for (auto &thread : running)
        thread.join();
    std::vector<double> times;
    for (int batch = 1; batch <= batches; ++batch) // the first one warms up
        times.push_back(timeOfBatch(turns, size_t(batch)));
    return undisturbed(times) / (threads * peers);
}

template <typename Stack> void threads(const Settings &common, int effort)
{
    const Stack shared(common);
    const double one = timeOnThreads(shared, common, 1, effort);
    const double two = timeOnThreads(shared, common, 2, effort);
    report("threads/1", one);
    report("threads/2", two);
    report("threads/factor", one / two);
}

} // namespace bench
