// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Subjects that fail after a failed allocation, to show that a sweep notices.
#pragma once

#include "sweep.h"

namespace allocation {

// Sweeps one for each outcome that is not fine, under the name of the outcome.
bool sweepControls();

} // namespace allocation
