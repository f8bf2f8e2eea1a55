// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The program's own malloc and its like go before the C library's, for all libraries; they count
// and pass on to the C library's under its other names for them.
#include "heap.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);
}

namespace {

std::atomic<int64_t> live = 0;

void *counted(void *block)
{
    if (block)
        ++live;
    return block;
}

} // namespace

namespace allocation {

int64_t liveBlocks()
{
    return live;
}

} // namespace allocation

extern "C" {

void *malloc(size_t size)
{
    return counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return malloc(size);
    if (size == 0)
        --live;
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    return counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *aligned = memalign(alignment, size);
    if (!aligned)
        return ENOMEM;
    *block = aligned;
    return 0;
}

void free(void *block)
{
    if (block)
        --live;
    __libc_free(block);
}
}
