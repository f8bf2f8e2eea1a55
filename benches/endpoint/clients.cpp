// SPDX-License-Identifier: MIT OR Apache-2.0
#include "clients.h"

#include "servers.h"

#include <sys/socket.h>
#include <unistd.h>

namespace bench {

namespace {

std::array<int, 2> socketPair()
{
    std::array<int, 2> ends {};
    require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0, "socketpair");
    return ends;
}

} // namespace

Clients::Clients(const sockaddr_in &server)
    : ends(socketPair())
    , child([&] { serve(server, ends[1]); })
{
    ::close(ends[1]); // so that reading ends with the process
}

void Clients::ask(const Request &request)
{
    char done = 0;
    require(write(ends[0], &request, sizeof request) == ssize_t(sizeof request)
                && read(ends[0], &done, 1) == 1,
            "the clients' step");
}

void Clients::serve(const sockaddr_in &server, int requests)
{
    Load load(server);
    Request request {};
    while (read(requests, &request, sizeof request) == ssize_t(sizeof request)) {
        switch (request.step) {
        case Request::Connect:
            load.connect(request.number);
            break;
        case Request::Echo:
            load.echo(request.number);
            break;
        case Request::Close:
            load.close();
            break;
        }
        require(write(requests, "", 1) == 1, "the clients' answer");
    }
    std::exit(0);
}

} // namespace bench
