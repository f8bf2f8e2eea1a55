// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <cstdint>

namespace soak {

// Of this process.
struct Usage {
    std::uint64_t residentBytes;
    std::uint64_t heapBytes; // what malloc has handed out
    std::uint64_t processorMs; // user and system

    static Usage now();
};

} // namespace soak
