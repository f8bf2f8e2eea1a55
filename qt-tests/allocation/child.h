// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A child process whose end, however it comes, costs the parent nothing.
#pragma once

#include "stack.h"

#include <QtCore/QByteArray>

#include <functional>

namespace allocation {

// What brought a process down. It lies in memory that parent and child share.
struct Crash {
    int signal = 0;
    Stack place;
};

// Makes a T that a process shares with its children, and that lasts as long as they do.
void *allocateShared(size_t size);
template <typename T> T *makeShared()
{
    return new (allocateShared(sizeof(T))) T;
}

// Runs `body` in a child process, to its end. "" when it got there, else how it did not:
// "crash:SIGSEGV", "hang" when its alarm(2) went off, "exit:1".
QByteArray inChild(Crash *crash, const std::function<void()> &body);

} // namespace allocation
