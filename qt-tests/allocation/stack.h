// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The place where the program is: return addresses, and a form of them that another program can
// look up.
#pragma once

#include <QtCore/QByteArray>

namespace allocation {

class Stack {
public:
    // Replaces the content by the place of the caller. Safe in a signal handler after warmUp().
    void capture();
    void clear() { size = 0; }

    // "library+0xoffset" of each frame, innermost first; "-" when there is none. Call it in a
    // process with the same libraries at the same addresses.
    QByteArray text() const;

    // The first capture of a process loads a library.
    static void warmUp();

private:
    static constexpr int capacity = 64;

    void *frames[capacity];
    int size = 0;
};

} // namespace allocation
