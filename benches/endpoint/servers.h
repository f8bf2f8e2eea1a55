// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two servers that send each message back, until their process is ended. The context has a
// certificate, and is prepared by the one that uses it.
#pragma once

#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>

namespace bench {

void serveByEndpoint(int socket, SSL_CTX *context);
void serveByOpenssl(int socket, SSL_CTX *context);

// A benchmark of something that fails measures something else.
inline void require(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "endpoint_bench: failed: %s\n", what);
    std::exit(1);
}

} // namespace bench
