// SPDX-License-Identifier: MIT OR Apache-2.0
#include "clients.h"

#include "servers.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace bench {

Clients::Clients(const sockaddr_in &server)
{
    std::array<int, 2> ends;
    require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0, "socketpair");
    process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(server, ends[1]);
    }
    require(process > 0, "the clients' process");
    ::close(ends[1]);
    requests = ends[0];
}

Clients::~Clients()
{
    ::close(requests);
    kill(process, SIGTERM);
    waitpid(process, nullptr, 0);
}

void Clients::ask(const Request &request)
{
    char done = 0;
    require(write(requests, &request, sizeof request) == ssize_t(sizeof request)
                && read(requests, &done, 1) == 1,
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
