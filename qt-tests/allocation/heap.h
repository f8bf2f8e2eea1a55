// SPDX-License-Identifier: MIT OR Apache-2.0
//
// All blocks that this process has from malloc(3): OpenSSL's, Qt's and the plugin's.
#pragma once

#include <cstdint>

namespace allocation::heap {

// Their number.
int64_t liveBlocks();

// From now on, failures are those of allocations that the plugin makes, or makes Qt do: between
// the plugin's code and malloc(3), or operator new, is none but Qt's.
void failPlugins();

} // namespace allocation::heap
