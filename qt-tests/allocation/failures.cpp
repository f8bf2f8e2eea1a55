// SPDX-License-Identifier: MIT OR Apache-2.0
#include "failures.h"

#include <atomic>

namespace allocation::failures {

namespace {

std::atomic<bool> armed = false;
Failure failure = Failure::None;
quint64 failing = 0;
std::atomic<quint64> count = 0; // the plugin has a thread of its own
Stack *failedStack = nullptr;

} // namespace

void arm(Failure newFailure, quint64 number, Stack *failed)
{
    count = 0;
    failing = number;
    failedStack = failed;
    failure = newFailure;
    armed = true;
}

quint64 disarm()
{
    armed = false;
    failure = Failure::None;
    return count;
}

bool areArmed()
{
    return armed;
}

bool mustFail()
{
    const quint64 number = ++count;
    if (failure == Failure::None || number < failing)
        return false;
    if (number == failing)
        failedStack->capture();
    return number == failing || failure == Failure::Onwards;
}

} // namespace allocation::failures
