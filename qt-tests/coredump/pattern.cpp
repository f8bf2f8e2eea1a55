// SPDX-License-Identifier: MIT OR Apache-2.0
#include "pattern.h"

namespace coredump {

// A linear congruential generator with Knuth's constants for MMIX; its high bits are the good ones.
void writePattern(uint64_t number, char *place)
{
    uint64_t state = number;
    for (int i = 0; i < patternSize; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        place[i] = char(state >> 56);
    }
}

} // namespace coredump
