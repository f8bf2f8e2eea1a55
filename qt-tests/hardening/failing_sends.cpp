// SPDX-License-Identifier: MIT OR Apache-2.0
#include "failing_sends.h"

#include <atomic>
#include <cerrno>

#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hardening {

namespace {

std::atomic<int> error;
std::atomic<int> left;

// Whether a send on this descriptor is to fail now; sets errno if so.
bool fails(int descriptor)
{
    if (left <= 0)
        return false;
    int type = 0;
    socklen_t length = sizeof type;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_DGRAM)
        return false;
    --left;
    errno = error;
    return true;
}

template <typename Function> Function *systems(const char *name)
{
    return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

} // namespace

FailingSends::FailingSends(int number, int count)
    : count(count)
{
    error = number;
    left = count;
}

FailingSends::~FailingSends()
{
    left = 0;
}

int FailingSends::failed() const
{
    return count - left;
}

} // namespace hardening

extern "C" {

ssize_t sendmsg(int descriptor, const msghdr *message, int flags)
{
    static const auto system = hardening::systems<decltype(sendmsg)>("sendmsg");
    return hardening::fails(descriptor) ? -1 : system(descriptor, message, flags);
}

ssize_t sendto(int descriptor, const void *data, size_t length, int flags, const sockaddr *to,
               socklen_t toLength)
{
    static const auto system = hardening::systems<decltype(sendto)>("sendto");
    return hardening::fails(descriptor) ? -1
                                        : system(descriptor, data, length, flags, to, toLength);
}

ssize_t send(int descriptor, const void *data, size_t length, int flags)
{
    static const auto system = hardening::systems<decltype(send)>("send");
    return hardening::fails(descriptor) ? -1 : system(descriptor, data, length, flags);
}

ssize_t write(int descriptor, const void *data, size_t length)
{
    static const auto system = hardening::systems<decltype(write)>("write");
    return hardening::fails(descriptor) ? -1 : system(descriptor, data, length);
}
}
