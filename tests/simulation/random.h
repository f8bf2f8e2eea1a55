// SPDX-License-Identifier: MIT OR Apache-2.0
// Numbers that a seed decides, for the network and for OpenSSL, so that a case can be repeated
// exactly.
#ifndef SIMULATION_RANDOM_H
#define SIMULATION_RANDOM_H

#include <cstdint>
#include <initializer_list>

namespace simulation {

// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class Random {
public:
    // Each list of numbers is a stream of its own.
    explicit Random(std::initializer_list<std::uint64_t> seeds);

    std::uint64_t next();
    // From 0 to the limit, without it.
    std::uint64_t below(std::uint64_t limit);
    bool chance(double probability);
    template <typename T> T oneOf(std::initializer_list<T> values)
    {
        return values.begin()[below(values.size())];
    }

private:
    std::uint64_t state = 0;
};

// Has OpenSSL take all its random numbers from a stream, from its beginning.
void seedOpenssl(std::uint64_t seed, std::uint64_t index);

} // namespace simulation

#endif
