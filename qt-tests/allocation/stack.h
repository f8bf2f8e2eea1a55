// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Where the program is: return addresses, and their form that another program can look up.
#pragma once

#include <QtCore/QByteArray>

namespace allocation {

class Stack {
public:
    // Replaces what was there by where the caller is. Safe in a signal handler once warmUp() has
    // been called.
    void capture();
    void clear() { size = 0; }

    // "library+0xoffset" of each frame, innermost first; "-" when there is none. To be called in a
    // process in which the same libraries stand at the same addresses.
    QByteArray text() const;

    // The first capture of a process loads a library.
    static void warmUp();

private:
    static constexpr int capacity = 64;

    void *frames[capacity];
    int size = 0;
};

} // namespace allocation
