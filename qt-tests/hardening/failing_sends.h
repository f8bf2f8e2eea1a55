// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Makes the system calls that send on datagram sockets fail with an error of choice: the program
// defines them, and passes every other call on to the system's.
#pragma once

namespace hardening {

class FailingSends {
public:
    // The next `count` sends fail, until the end of the scope at the latest.
    explicit FailingSends(int error, int count = 1);
    ~FailingSends();
    FailingSends(const FailingSends &) = delete;
    FailingSends &operator=(const FailingSends &) = delete;

    // How many have failed.
    int failed() const;

private:
    int count;
};

} // namespace hardening
