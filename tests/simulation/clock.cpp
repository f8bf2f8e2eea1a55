// SPDX-License-Identifier: MIT OR Apache-2.0
#include "clock.h"
#include "../c-abi/clock.h"

#include <ctime>
#include <sys/time.h>

namespace simulation {

static Time current = 0;

Time now()
{
    return current;
}

void setNow(Time time)
{
    current = time;
}

static std::time_t wholeSeconds()
{
    return std::time_t(epochSeconds + current / second);
}

} // namespace simulation

using namespace simulation;

void harness::passTime(std::int64_t microseconds)
{
    current += Time(microseconds);
}

// These take the place of the C library's functions for OpenSSL and the library, too.
extern "C" {

int gettimeofday(timeval *__restrict time, void *__restrict) noexcept
{
    *time = { wholeSeconds(), suseconds_t(current % second) };
    return 0;
}

int clock_gettime(clockid_t, timespec *time) noexcept
{
    *time = { wholeSeconds(), long(current % second * 1000) };
    return 0;
}

std::time_t time(std::time_t *seconds) noexcept
{
    if (seconds)
        *seconds = wholeSeconds();
    return wholeSeconds();
}

#if defined(__i386__) && defined(__GLIBC__) && !defined(__USE_TIME_BITS64)
// Rust's standard library asks for 64-bit time there, too.
struct LongTime {
    std::int64_t seconds;
    std::int32_t nanoseconds;
    std::int32_t unused;
};
int tellLongTime(clockid_t, LongTime *) noexcept __asm__("__clock_gettime64");

int tellLongTime(clockid_t, LongTime *time) noexcept
{
    *time = { std::int64_t(epochSeconds + current / second), std::int32_t(current % second * 1000),
              0 };
    return 0;
}
#endif

} // extern "C"
