// SPDX-License-Identifier: MIT OR Apache-2.0
#include "dump.h"

#include <cerrno>
#include <cstdio>

#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace coredump {

bool dumpCore(const char *file)
{
    // gdb is this process's child, which some systems let attach only by permission.
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    char command[32];
    std::snprintf(command, sizeof command, "--pid=%d", int(getpid()));
    char dump[4096];
    std::snprintf(dump, sizeof dump, "gcore %s", file);
    const char *const arguments[] = { "gdb",   "--batch", "--nx", "--readnever",
                                      command, "--ex",    dump,   nullptr };
    pid_t gdb = 0;
    if (posix_spawnp(&gdb, arguments[0], nullptr, nullptr, const_cast<char *const *>(arguments),
                     environ)
        != 0)
        return false;
    int status = 0;
    while (waitpid(gdb, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return status == 0 && access(file, R_OK) == 0;
}

} // namespace coredump
