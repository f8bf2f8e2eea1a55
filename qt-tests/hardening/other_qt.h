// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

namespace hardening {

// Prints the number of backends named "openssl" and how a handshake ends; returns an exit code.
int printBackends();

} // namespace hardening
