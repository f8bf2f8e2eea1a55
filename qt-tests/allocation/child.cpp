// SPDX-License-Identifier: MIT OR Apache-2.0
#include "child.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace allocation {

namespace {

Crash *thisProcess = nullptr;

void noteCrash(int signal)
{
    thisProcess->signal = signal;
    thisProcess->place.capture();
    _exit(EXIT_FAILURE);
}

// The handler has a stack of its own: an overflow of the stack is a crash too.
void handleCrashes(Crash *crash)
{
    static char handlerStack[1 << 16];
    stack_t alternative = {};
    alternative.ss_sp = handlerStack;
    alternative.ss_size = sizeof handlerStack;
    sigaltstack(&alternative, nullptr);

    thisProcess = crash;
    Stack::warmUp();
    struct sigaction action = {};
    action.sa_handler = noteCrash;
    action.sa_flags = SA_ONSTACK;
    for (const int signal : { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGALRM })
        sigaction(signal, &action, nullptr);
}

} // namespace

void *allocateShared(size_t size)
{
    constexpr int readAndWrite = PROT_READ | PROT_WRITE;
    void *memory = mmap(nullptr, size, readAndWrite, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        qFatal("no shared memory: %s", std::strerror(errno));
    return memory;
}

QByteArray inChild(Crash *crash, const std::function<void()> &body)
{
    *crash = {};
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        handleCrashes(crash);
        body();
        std::fflush(stdout);
        _exit(EXIT_SUCCESS);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        qFatal("no child process: %s", std::strerror(errno));
    if (crash->signal == SIGALRM)
        return "hang";
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : crash->signal;
    if (signal)
        return QByteArray("crash:SIG") + sigabbrev_np(signal);
    const int code = WEXITSTATUS(status);
    return code == EXIT_SUCCESS ? QByteArray() : "exit:" + QByteArray::number(code);
}

} // namespace allocation
