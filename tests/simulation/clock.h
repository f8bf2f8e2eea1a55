// SPDX-License-Identifier: MIT OR Apache-2.0
// The clock of this process: it stands still until the simulation sets it.
#ifndef SIMULATION_CLOCK_H
#define SIMULATION_CLOCK_H

#include <cstdint>

namespace simulation {

// Microseconds since the start of a case.
using Time = std::uint64_t;

constexpr Time millisecond = 1000;
constexpr Time second = 1000 * millisecond;
constexpr Time minute = 60 * second;

// What every case begins with, as Unix time.
constexpr std::uint64_t epochSeconds = 1700000000;

Time now();
void setNow(Time time);

} // namespace simulation

#endif
