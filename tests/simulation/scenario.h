// SPDX-License-Identifier: MIT OR Apache-2.0
// What each case tries: credentials, and a network for them.
#ifndef SIMULATION_SCENARIO_H
#define SIMULATION_SCENARIO_H

#include "link.h"

#include <ostream>

namespace simulation {

// Mostly pre-shared keys and resumption, which are cheap. A chain is a certificate of 6 KB.
enum class Kind { Psk, ResumedPsk, ResumedCertificate, Certificate, Chain };

// What may be expected of a network.
enum class Network { Usual, Hole, Corrupting };

struct Scenario {
    Kind kind;
    Conditions conditions;
    std::uint16_t mtuHint;

    Network network() const;
};

// Loss in percent, by the index of the case.
constexpr unsigned lossLevels[] = { 0, 5, 10, 20, 30, 40 };

unsigned lossOf(std::uint64_t index);
Scenario scenarioOf(std::uint64_t seed, std::uint64_t index);
const char *nameOf(Kind kind);
const char *nameOf(Network network);
std::ostream &operator<<(std::ostream &out, const Scenario &scenario);

} // namespace simulation

#endif
