// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace bench {

// Bytes of this process.
struct MemoryUse {
    size_t resident = 0;
    size_t heap = 0; // what malloc has handed out

    static MemoryUse now()
    {
        size_t size = 0, resident = 0;
        if (FILE *file = std::fopen("/proc/self/statm", "r")) {
            if (std::fscanf(file, "%zu %zu", &size, &resident) != 2)
                resident = 0;
            std::fclose(file);
        }
        const auto heap = mallinfo2();
        return { resident * size_t(sysconf(_SC_PAGESIZE)), heap.uordblks + heap.hblkhd };
    }
};

} // namespace bench
