// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Subjects that take a failed allocation badly, to show that a sweep notices.
#pragma once

#include "sweep.h"

namespace allocation {

// Sweeps one for each outcome that is not fine, under that outcome's name.
bool sweepControls();

} // namespace allocation
