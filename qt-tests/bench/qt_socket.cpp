// SPDX-License-Identifier: MIT OR Apache-2.0
//
// QUdpSocket sends by this function of libc. The dynamic linker finds it here first, so Qt does all
// of its work for a datagram and the wire replaces the kernel.
#include "wire.h"

#include <sys/socket.h>

extern "C" ssize_t sendmsg(int, const struct msghdr *message, int)
{
    const struct iovec &datagram = message->msg_iov[0];
    bench::wire().send(datagram.iov_base, datagram.iov_len);
    return ssize_t(datagram.iov_len);
}
