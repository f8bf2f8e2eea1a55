// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Several processes are measured at the same time and take short turns, so that what else the
// machine does meets all of them alike. A process says "turn" when its turn is over, and waits for
// a line.
#pragma once

namespace bench {

// Waits for the first turn. Without this call giveWay() returns at once.
void waitForFirstTurn();

// Lets the others have a turn if this one has taken long enough.
void giveWay();

} // namespace bench
