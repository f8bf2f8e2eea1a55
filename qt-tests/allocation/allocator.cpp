// SPDX-License-Identifier: MIT OR Apache-2.0
#include "allocator.h"

#include <cstddef>
#include <cstdlib>
#include <memory>

#include <dlfcn.h>

namespace allocation::allocator {

namespace {

// Stands before each block that OpenSSL has.
struct alignas(std::max_align_t) Header {
    Header *previous;
    Header *next;
    Stack *stack; // null unless it was traced
};

// All blocks, in a ring. The exchange runs on one thread, and so does everything here.
Header ring = { &ring, &ring, nullptr };
qint64 live = 0;

Failure failure = Failure::None;
quint64 failing = 0;
quint64 count = 0;
Stack *failedStack = nullptr;
bool tracing = false;

bool mustFail()
{
    ++count;
    if (failure == Failure::None || count < failing)
        return false;
    if (count == failing)
        failedStack->capture();
    return count == failing || failure == Failure::Onwards;
}

void link(Header *header)
{
    header->previous = &ring;
    header->next = ring.next;
    header->next->previous = header;
    ring.next = header;
}

void unlink(Header *header)
{
    header->previous->next = header->next;
    header->next->previous = header->previous;
}

Header *headerOf(void *block)
{
    return static_cast<Header *>(block) - 1;
}

void *reallocate(void *block, size_t size)
{
    if (!block)
        return allocate(size);
    if (size == 0) {
        release(block);
        return nullptr;
    }
    if (mustFail())
        return nullptr;
    Header *header = headerOf(block);
    unlink(header);
    auto *moved = static_cast<Header *>(std::realloc(header, sizeof(Header) + size));
    link(moved ? moved : header);
    return moved ? moved + 1 : nullptr;
}

// OpenSSL says besides on whose behalf it calls.
void *allocateFor(size_t size, const char *, int)
{
    return allocate(size);
}

void *reallocateFor(void *block, size_t size, const char *, int)
{
    return reallocate(block, size);
}

void releaseFor(void *block, const char *, int)
{
    release(block);
}

} // namespace

void *allocate(size_t size)
{
    if (size == 0 || mustFail())
        return nullptr;
    auto *header = static_cast<Header *>(std::malloc(sizeof(Header) + size));
    if (!header)
        return nullptr;
    header->stack = nullptr;
    if (tracing) {
        header->stack = new Stack;
        header->stack->capture();
    }
    link(header);
    ++live;
    return header + 1;
}

void release(void *block)
{
    if (!block)
        return;
    Header *header = headerOf(block);
    unlink(header);
    delete header->stack;
    std::free(header);
    --live;
}

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

qint64 liveBlocks()
{
    return live;
}

void startTracing()
{
    for (Header *header = ring.next; header != &ring; header = header->next) {
        delete header->stack;
        header->stack = nullptr;
    }
    tracing = true;
}

void stopTracing()
{
    tracing = false;
}

Stack oldestTraced()
{
    // New blocks stand in front.
    for (const Header *header = ring.previous; header != &ring; header = header->previous) {
        if (header->stack)
            return *header->stack;
    }
    return {};
}

} // namespace allocation::allocator
