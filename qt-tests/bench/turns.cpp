// SPDX-License-Identifier: MIT OR Apache-2.0
#include "turns.h"

#include "fail.h"
#include "measure.h"

#include <cstdio>

namespace bench {

namespace {

// Much longer than it takes to have one's code and data in the cache again.
constexpr double turnLength = 5e6; // nanoseconds

bool inTurns = false;
double turnBegan = 0;

void waitForTurn()
{
    std::puts("turn");
    std::fflush(stdout);
    require(std::getchar() == '\n', "a turn");
    turnBegan = processorTime();
}

} // namespace

void waitForFirstTurn()
{
    inTurns = true;
    waitForTurn();
}

void giveWay()
{
    if (inTurns && processorTime() - turnBegan >= turnLength)
        waitForTurn();
}

} // namespace bench
