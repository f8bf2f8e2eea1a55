// SPDX-License-Identifier: MIT OR Apache-2.0
#include "controls.h"

#include "allocator.h"

#include <csignal>

#include <unistd.h>

namespace allocation {

namespace {

// Two allocations. When the second fails, `reaction` gets the first and returns the ending.
Ending allocateTwo(const std::function<Ending(void *first)> &reaction)
{
    void *first = allocator::allocate(1);
    if (!first)
        return { Ending::Refused, "first" };
    void *second = allocator::allocate(1);
    if (!second)
        return reaction(first);
    allocator::release(second);
    allocator::release(first);
    return { Ending::Completed, {} };
}

Ending leak()
{
    return allocateTwo([](void *) { return Ending { Ending::Refused, "second" }; });
}

Ending crash()
{
    return allocateTwo([](void *) {
        raise(SIGSEGV);
        return Ending { Ending::Wrong, "survived" };
    });
}

Ending hang()
{
    return allocateTwo([](void *) {
        pause();
        return Ending { Ending::Wrong, "went on" };
    });
}

Ending saysNothing()
{
    return allocateTwo([](void *first) {
        allocator::release(first);
        return Ending { Ending::Wrong, "no error" };
    });
}

Ending breaksTheNext()
{
    static bool broken = false;
    if (broken)
        return { Ending::Refused, "broken" };
    return allocateTwo([](void *first) {
        allocator::release(first);
        broken = true;
        return Ending { Ending::Refused, "second" };
    });
}

} // namespace

bool sweepControls()
{
    const std::pair<const char *, Subject> controls[] = {
        { "leak", leak },         { "crash:SIGSEGV", crash },       { "hang", hang },
        { "wrong", saysNothing }, { "next-broken", breaksTheNext },
    };
    for (const auto &[name, subject] : controls) {
        constexpr int rehearsals = 1;
        constexpr unsigned hangSeconds = 1;
        if (!Sweep(name, subject, rehearsals, hangSeconds).run(1))
            return false;
    }
    return true;
}

} // namespace allocation
