// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The allocator that OpenSSL uses: it counts, and fails on demand.
#pragma once

#include "stack.h"

#include <QtCore/QtGlobal>

#include <cstddef>

namespace allocation {

enum class Failure {
    None,
    Once, // one allocation fails
    Onwards, // one fails and so do all that follow
};

namespace allocator {

// Gives OpenSSL this allocator. Call it before anything else uses the libcrypto that Qt will load.
// False when it is too late or there is no such library.
bool install();

// Starts counting at 1. The allocation that reaches `number` fails, and its stack goes to `failed`.
void arm(Failure failure, quint64 number, Stack *failed);
// Ends the failures; returns how many allocations there were since arm().
quint64 disarm();

// The functions that OpenSSL calls.
void *allocate(size_t size);
void release(void *block);

} // namespace allocator
} // namespace allocation
