// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A process that works until this one ends it, or ends.
#pragma once

#include "servers.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

class Child {
public:
    // `work` does not return.
    template <typename Work>
    explicit Child(const Work &work)
        : id(fork())
    {
        if (id == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work();
        }
        require(id > 0, "a process");
    }
    ~Child()
    {
        kill(id, SIGTERM);
        waitpid(id, nullptr, 0);
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;

    const pid_t id;
};

} // namespace bench
