// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a process does only once.
#pragma once

#include "settings.h"

#include <string>

namespace bench {

// Measures the first QDtls of the process, for which Qt loads its plugin, and the first handshake.
// `group` is "start", or the one of them that callgrind collects.
void start(const std::string &group, const Settings &settings);

} // namespace bench
