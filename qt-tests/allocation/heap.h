// SPDX-License-Identifier: MIT OR Apache-2.0
//
// All blocks that this process has from malloc(3): OpenSSL's, Qt's and the plugin's.
#pragma once

#include <cstdint>

namespace allocation {

// Their number.
int64_t liveBlocks();

} // namespace allocation
