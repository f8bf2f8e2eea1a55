// SPDX-License-Identifier: MIT OR Apache-2.0
// The system's clock, which OpenSSL's timer uses. It stands still unless a case moves it: no timer
// expires only because the machine is slow.
#ifndef HARNESS_CLOCK_H
#define HARNESS_CLOCK_H

#include <cstdint>

namespace harness {

// Lets this time pass; a negative one sets the clock back.
void passTime(std::int64_t microseconds);

} // namespace harness

#endif
