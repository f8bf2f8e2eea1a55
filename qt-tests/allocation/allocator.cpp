// SPDX-License-Identifier: MIT OR Apache-2.0
#include "allocator.h"

#include "failures.h"

#include <cstdlib>

#include <dlfcn.h>

namespace allocation::allocator {

namespace {

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
    return size == 0 || failures::mustFail() ? nullptr : std::realloc(block, size);
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

void *allocate(size_t size)
{
    return size == 0 || failures::mustFail() ? nullptr : std::malloc(size);
}

void release(void *block)
{
    std::free(block);
}

} // namespace allocation::allocator
