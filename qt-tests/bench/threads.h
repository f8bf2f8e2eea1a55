// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A server on one thread, and on two at the same time: each has a socket and connections of its
// own, and all share the contexts. The clients never work while a server does. One thread and two
// take turns, because what a processor does in a second changes while this runs.
#pragma once

#include "exchange.h"
#include "raw_stack.h"
#include "settings.h"

#include <algorithm>
#include <array>
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

using Turns = std::vector<Turn>;

// The turns of a batch: first hellos, second hellos, the clients' last flights, and the destruction
// of the connections.
constexpr size_t turnsOfBatch = 4;
constexpr int peersOfBatch = 20;

template <typename Stack>
void takeTurns(Stack &stack, RawStack &clients, Barrier &barrier, Turns &turns)
{
    Exchange<Stack, RawStack> exchange(stack, clients, size_t(peersOfBatch));
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

struct TurnsOfThreads {
    Turns alone;
    std::array<Turns, 2> together;
};

// In each batch one thread works alone, the first and the second by turns, and then both.
template <typename Stack>
TurnsOfThreads turnsOfThreads(const Stack &shared, const Settings &common, int batches)
{
    TurnsOfThreads turns;
    Barrier one(1), two(2);
    const auto work = [&](size_t number) {
        stayOnProcessor(number);
        Stack stack(shared);
        RawStack clients(common);
        for (int batch = 0; batch < batches; ++batch) {
            two.wait();
            if (size_t(batch) % 2 == number)
                takeTurns(stack, clients, one, turns.alone);
            two.wait();
            takeTurns(stack, clients, two, turns.together[number]);
        }
    };
    std::vector<typename Stack::Thread> running;
    for (size_t number = 0; number < turns.together.size(); ++number)
        running.emplace_back([&work, number] { work(number); });
    for (auto &thread : running)
        thread.join();
    return turns;
}

// The sum of the durations of a batch's turns.
template <typename Duration> double sumOfBatch(size_t batch, Duration duration)
{
    double sum = 0;
    for (size_t turn = batch * turnsOfBatch; turn < (batch + 1) * turnsOfBatch; ++turn)
        sum += duration(turn);
    return sum;
}

// Nanoseconds in which a thread itself works for one handshake.
inline double timeOf(const Turns &turns, size_t batch)
{
    return sumOfBatch(batch, [&](size_t turn) { return turns[turn].end - turns[turn].start; })
        / peersOfBatch;
}

// The same of both threads, whose rates add up.
inline double timeOfBoth(const std::array<Turns, 2> &turns, size_t batch)
{
    return 1 / (1 / timeOf(turns[0], batch) + 1 / timeOf(turns[1], batch));
}

// The same with the wait for the other thread: a turn lasts from the first one's start to the last
// one's end.
inline double timeOfWholeTurns(const std::array<Turns, 2> &turns, size_t batch)
{
    const auto &[first, second] = turns;
    const auto duration = [&first = first, &second = second](size_t turn) {
        return std::max(first[turn].end, second[turn].end)
            - std::min(first[turn].start, second[turn].start);
    };
    return sumOfBatch(batch, duration) / double(turns.size() * peersOfBatch);
}

template <typename Stack> void threads(const Settings &common, int effort)
{
    const Stack shared(common);
    const auto turns = turnsOfThreads(shared, common, effort + 1);
    std::vector<double> alone, both, factors, factorsOfWholeTurns;
    for (size_t batch = 1; batch <= size_t(effort); ++batch) { // the first one warms up
        alone.push_back(timeOf(turns.alone, batch));
        both.push_back(timeOfBoth(turns.together, batch));
        factors.push_back(alone.back() / both.back());
        factorsOfWholeTurns.push_back(alone.back() / timeOfWholeTurns(turns.together, batch));
    }
    report("threads/1", median(alone));
    report("threads/2", median(both));
    report("threads/factor", median(factors));
    report("threads/factor-of-whole-turns", median(factorsOfWholeTurns));
}

} // namespace bench
