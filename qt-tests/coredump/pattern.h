// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Bytes that can be made again from their number, and that no program contains.
#pragma once

#include <cstdint>

namespace coredump {

constexpr int patternSize = 32;

// Writes pattern `number` to `place`, byte by byte, so that no register holds a longer part.
void writePattern(uint64_t number, char *place);

} // namespace coredump
