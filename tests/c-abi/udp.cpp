// SPDX-License-Identifier: MIT OR Apache-2.0
#include "udp.h"
#include "cases.h"
#include "system_sockets.h"

namespace harness {

namespace {

#ifdef _WIN32
using Number = SOCKET;
using Length = int;

// Windows has sockets after this call only.
[[maybe_unused]] const int started = [] {
    WSADATA implementation;
    return WSAStartup(MAKEWORD(2, 2), &implementation);
}();

int closeSocket(Number number)
{
    return closesocket(number);
}

int pollSockets(std::vector<pollfd> &sockets, int milliseconds)
{
    return WSAPoll(sockets.data(), ULONG(sockets.size()), milliseconds);
}
#else
using Number = int;
using Length = std::size_t;

int closeSocket(Number number)
{
    return close(number);
}

int pollSockets(std::vector<pollfd> &sockets, int milliseconds)
{
    return poll(sockets.data(), nfds_t(sockets.size()), milliseconds);
}
#endif

// sockaddr_in as the system's functions take it.
struct Address {
    Address(std::uint32_t ip, std::uint16_t port)
    {
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        in.sin_addr.s_addr = htonl(ip);
    }

    sockaddr *generic() { return reinterpret_cast<sockaddr *>(&in); }

    sockaddr_in in {};
    socklen_t length = sizeof in;
};

} // namespace

UdpSocket::UdpSocket(std::uint32_t ip, std::uint16_t port)
    : handle(std::ptrdiff_t(socket(AF_INET, SOCK_DGRAM, 0)))
{
    Address own(ip, port);
    CHECK_EQUAL(bind(Number(handle), own.generic(), own.length), 0);
}

UdpSocket::~UdpSocket()
{
    closeSocket(Number(handle));
}

std::uint16_t UdpSocket::port() const
{
    Address own(0, 0);
    CHECK_EQUAL(getsockname(Number(handle), own.generic(), &own.length), 0);
    return ntohs(own.in.sin_port);
}

void UdpSocket::connectTo(std::uint32_t ip, std::uint16_t port) const
{
    Address peer(ip, port);
    CHECK_EQUAL(connect(Number(handle), peer.generic(), peer.length), 0);
}

void UdpSocket::send(const Bytes &datagram, std::uint16_t port) const
{
    Address to(loopback, port);
    const auto *bytes = reinterpret_cast<const char *>(datagram.data());
    CHECK_EQUAL(sendto(Number(handle), bytes, Length(datagram.size()), 0, to.generic(), to.length),
                long(datagram.size()));
}

bool UdpSocket::isReadable() const
{
    std::vector<pollfd> one { { Number(handle), POLLIN, 0 } };
    return pollSockets(one, 0) > 0;
}

void waitForOneOf(const std::vector<const UdpSocket *> &sockets, int milliseconds)
{
    std::vector<pollfd> readable;
    for (const UdpSocket *socket : sockets)
        readable.push_back({ Number(socket->handle), POLLIN, 0 });
    pollSockets(readable, milliseconds);
}

} // namespace harness
