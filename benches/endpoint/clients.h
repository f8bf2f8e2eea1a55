// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The load in a process of its own, with as many sockets as a process may have.
#pragma once

#include "load.h"

#include <sys/types.h>

namespace bench {

class Clients {
public:
    explicit Clients(const sockaddr_in &server);
    ~Clients();

    // As those of Load, when they are done.
    void connect(std::size_t number) { ask({ Request::Connect, number }); }
    void echo(std::size_t messages) { ask({ Request::Echo, messages }); }
    void close() { ask({ Request::Close, 0 }); }

private:
    struct Request {
        enum { Connect, Echo, Close } step;
        std::size_t number;
    };
    void ask(const Request &request);
    [[noreturn]] static void serve(const sockaddr_in &server, int requests);

    pid_t process = -1;
    int requests = -1;
};

} // namespace bench
