// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Which allocation fails. The heap under test asks for each one that it is about to make.
#pragma once

#include "stack.h"

#include <QtCore/QtGlobal>

namespace allocation {

enum class Failure {
    None,
    Once, // one allocation fails
    Onwards, // one fails and so do all that follow
};

namespace failures {

// Starts counting at 1. The allocation that reaches `number` fails, and its stack goes to `failed`.
void arm(Failure failure, quint64 number, Stack *failed);
// Ends the failures; returns how many allocations there were since arm().
quint64 disarm();

// Whether allocations are counted.
bool areArmed();
// Counts one, and tells whether it fails.
bool mustFail();

} // namespace failures
} // namespace allocation
