// SPDX-License-Identifier: MIT OR Apache-2.0
#include "allocator.h"

#include <cstdlib>

#include <dlfcn.h>

namespace allocation::allocator {

namespace {

Failure failure = Failure::None;
quint64 failing = 0;
quint64 count = 0;
Stack *failedStack = nullptr;

bool mustFail()
{
    ++count;
    if (failure == Failure::None || count < failing)
        return false;
    if (count == failing)
        failedStack->capture();
    return count == failing || failure == Failure::Onwards;
}

// OpenSSL says besides on whose behalf it calls.
void *allocateFor(size_t size, const char *, int)
{
    return allocate(size);
}

// realloc(3) of no bytes is not the same everywhere; OpenSSL wants the block freed.
void *reallocateFor(void *block, size_t size, const char *, int)
{
    if (block && size == 0) {
        release(block);
        return nullptr;
    }
    return size == 0 || mustFail() ? nullptr : std::realloc(block, size);
}

void releaseFor(void *block, const char *, int)
{
    release(block);
}

} // namespace

bool install()
{
    using Install =
        int (*)(decltype(&allocateFor), decltype(&reallocateFor), decltype(&releaseFor));
    for (const char *name : { "libcrypto.so.3", "libcrypto.so.1.1" }) {
        // Never closed: it has to stay the one that Qt finds.
        if (void *library = dlopen(name, RTLD_NOW)) {
            const auto set = reinterpret_cast<Install>(dlsym(library, "CRYPTO_set_mem_functions"));
            return set && set(allocateFor, reallocateFor, releaseFor) == 1;
        }
    }
    return false;
}

void arm(Failure newFailure, quint64 number, Stack *failed)
{
    count = 0;
    failing = number;
    failedStack = failed;
    failure = newFailure;
}

quint64 disarm()
{
    failure = Failure::None;
    return count;
}

void *allocate(size_t size)
{
    return size == 0 || mustFail() ? nullptr : std::malloc(size);
}

void release(void *block)
{
    std::free(block);
}

} // namespace allocation::allocator
