// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

namespace bench {

// A benchmark of an operation that fails measures something else.
inline void require(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "bench: failed: %s\n", what);
    std::exit(1);
}

} // namespace bench
