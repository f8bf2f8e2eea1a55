// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The load in a process of its own, with as many sockets as a process may have.
#pragma once

#include "child.h"
#include "load.h"

#include <array>

namespace bench {

class Clients {
public:
    explicit Clients(const sockaddr_in &server);

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

    const std::array<int, 2> ends; // of a socket pair
    const Child child;
};

} // namespace bench
