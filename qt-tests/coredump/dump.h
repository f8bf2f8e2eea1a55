// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A core dump of this process, which goes on.
#pragma once

namespace coredump {

// Writes one to `file` by gdb's gcore, which leaves out what the kernel leaves out. Uses no heap,
// which might overwrite the bytes to be found. False when there is no dump.
bool dumpCore(const char *file);

} // namespace coredump
