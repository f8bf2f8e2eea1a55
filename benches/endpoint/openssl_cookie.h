// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cookies for DTLSv1_listen(3).
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

namespace bench {

// Cookies are HMAC-SHA-256 of the sockaddr_in that is the SSL's application data.
void useCookies(SSL_CTX *context);

} // namespace bench
