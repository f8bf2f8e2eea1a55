// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Bytes that whoever knows their number can make again, and that stand nowhere in a program.
#pragma once

#include <cstdint>

namespace coredump {

constexpr int patternSize = 32;

// Writes pattern `number` to `place`, byte by byte: no register ever holds a part worth finding.
void writePattern(uint64_t number, char *place);

} // namespace coredump
