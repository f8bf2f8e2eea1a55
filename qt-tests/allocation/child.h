// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A child process that can end in any way without harm to its parent.
#pragma once

#include "stack.h"

#include <QtCore/QByteArray>

#include <functional>

namespace allocation {

// The end of a process, in memory that parent and child share.
struct Crash {
    int signal = 0;
    Stack place;
};

// Makes a T that a process shares with its children, and that lives as long as they do.
void *allocateShared(size_t size);
template <typename T> T *makeShared()
{
    return new (allocateShared(sizeof(T))) T;
}

// Runs `body` in a child process. Returns "" when it reached its end, or else "crash:SIGSEGV",
// "hang" when its alarm(2) went off, "exit:1".
QByteArray inChild(Crash *crash, const std::function<void()> &body);

} // namespace allocation
