// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstdint>

namespace soak {

// Sends the server so many datagrams in a second, for some seconds: hellos without a cookie and
// with a wrong one, records of no connection, and noise, a quarter each. Returns how many were
// sent.
std::uint64_t flood(SSL_CTX *context, std::uint16_t server, unsigned perSecond, unsigned seconds);

} // namespace soak
