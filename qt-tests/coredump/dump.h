// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A core dump of this process, taken while it goes on.
#pragma once

namespace coredump {

// Writes one to `file`, by way of gdb's gcore, which leaves out what the kernel would leave out.
// The heap is not used: that might overwrite what is to be found. False when there is no dump.
bool dumpCore(const char *file);

} // namespace coredump
