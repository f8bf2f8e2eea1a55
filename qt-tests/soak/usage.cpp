// SPDX-License-Identifier: MIT OR Apache-2.0
#include "usage.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

namespace soak {

static std::uint64_t residentPages()
{
    unsigned long size = 0, resident = 0;
    if (std::FILE *file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%lu %lu", &size, &resident) != 2)
            resident = 0;
        std::fclose(file);
    }
    return resident;
}

static std::uint64_t milliseconds(const timeval &time)
{
    return std::uint64_t(time.tv_sec) * 1000 + std::uint64_t(time.tv_usec) / 1000;
}

Usage Usage::now()
{
    const auto heap = mallinfo2();
    rusage used {};
    getrusage(RUSAGE_SELF, &used);
    return { residentPages() * std::uint64_t(sysconf(_SC_PAGESIZE)), heap.uordblks + heap.hblkhd,
             milliseconds(used.ru_utime) + milliseconds(used.ru_stime) };
}

} // namespace soak
