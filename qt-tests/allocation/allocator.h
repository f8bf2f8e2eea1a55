// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The allocator that OpenSSL uses: it counts, and fails on demand.
#pragma once

#include <cstddef>

namespace allocation::allocator {

// Gives OpenSSL this allocator. Call it before anything else uses the libcrypto that Qt will load.
// False when it is too late or there is no such library.
bool install();

// The functions that OpenSSL calls.
void *allocate(size_t size);
void release(void *block);

} // namespace allocation::allocator
