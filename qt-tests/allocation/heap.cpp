// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The program's own malloc and its like go before the C library's, for all libraries; they count,
// fail on demand, and pass on to the C library's under its other names for them.
#include "heap.h"

#include "failures.h"
#include "images.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

#include <execinfo.h>

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

bool failsPlugins = false;

// Qt and OpenSSL allocate a lot: only those whose caller is not yet the answer walk the stack.
bool isPlugins(const void *caller)
{
    using allocation::images::Image;
    Image image = allocation::images::of(caller);
    if (image != Image::Qt && image != Image::Runtime)
        return image == Image::Plugin;
    void *frames[64];
    const int size = backtrace(frames, 64);
    int i = 0;
    const auto next = [&] { return i < size ? allocation::images::of(frames[i++]) : Image::Other; };
    do
        image = next();
    while (image == Image::Program); // these functions
    while (image == Image::Qt || image == Image::Runtime)
        image = next();
    return image == Image::Plugin;
}

bool mustFail(const void *caller)
{
    // What asks may itself allocate.
    thread_local bool asking = false;
    if (!failsPlugins || asking || !allocation::failures::areArmed())
        return false;
    asking = true;
    const bool fails = isPlugins(caller) && allocation::failures::mustFail();
    asking = false;
    if (fails)
        errno = ENOMEM;
    return fails;
}

void *allocate(size_t size, const void *caller)
{
    return mustFail(caller) ? nullptr : counted(__libc_malloc(size));
}

void *allocateAligned(size_t alignment, size_t size, const void *caller)
{
    return mustFail(caller) ? nullptr : counted(__libc_memalign(alignment, size));
}

} // namespace

namespace allocation::heap {

int64_t liveBlocks()
{
    return live;
}

void failPlugins()
{
    images::learn();
    Stack::warmUp();
    failsPlugins = true;
}

} // namespace allocation::heap

extern "C" {

void *malloc(size_t size)
{
    return allocate(size, __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
    const bool fails = mustFail(__builtin_return_address(0));
    return fails ? nullptr : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    const void *caller = __builtin_return_address(0);
    if (!block)
        return allocate(size, caller);
    if (size == 0)
        --live;
    else if (mustFail(caller))
        return nullptr;
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    return allocateAligned(alignment, size, __builtin_return_address(0));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return allocateAligned(alignment, size, __builtin_return_address(0));
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *aligned = allocateAligned(alignment, size, __builtin_return_address(0));
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
