// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Clock, and lines of output: name, tab, value. Values are nanoseconds of one operation, bytes, or
// ratios of two of them.
#pragma once

#include "turns.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <time.h>

namespace bench {

inline double timeOf(clockid_t clock)
{
    struct timespec now = {};
    clock_gettime(clock, &now);
    return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

// The processor's time that this thread has used, in nanoseconds. All happens in this thread and
// nothing waits, so that it is the time that passes, less what others use of the processor.
inline double processorTime()
{
    return timeOf(CLOCK_THREAD_CPUTIME_ID);
}

inline double wallTime()
{
    return timeOf(CLOCK_MONOTONIC);
}

// Of many batches' times the one that a tenth of them are shorter than: others that use the
// processor, or the other half of its core, disturb the rest.
inline double undisturbed(std::vector<double> times)
{
    std::sort(times.begin(), times.end());
    return times[times.size() / 10];
}

inline double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// The times of `batches` batches of `size` operations, for one operation.
template <typename Operation>
std::vector<double> timesOf(int batches, int size, Operation operation)
{
    std::vector<double> times;
    for (int batch = 0; batch < batches; ++batch) {
        giveWay();
        const double start = processorTime();
        for (int i = 0; i < size; ++i)
            operation();
        times.push_back((processorTime() - start) / size);
    }
    return times;
}

template <typename Operation> double measure(int batches, int size, Operation operation)
{
    return undisturbed(timesOf(batches, size, operation));
}

inline void report(const std::string &name, double value)
{
    std::printf("%s\t%.6g\n", name.c_str(), value);
}

// A property that must be the same for all stacks.
inline void reportFact(const std::string &name, const std::string &value)
{
    std::printf("fact %s\t%s\n", name.c_str(), value.c_str());
}

} // namespace bench
