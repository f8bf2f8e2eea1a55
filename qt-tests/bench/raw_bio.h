// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A BIO that reads the datagram lent to it, and writes to the wire.
#pragma once

#include <openssl/bio.h>

#include <string>

namespace bench {

struct Lent {
    const std::string *datagram = nullptr;
    bool peek = false;
};

// `lent` has to outlive the BIO.
BIO *newDatagramBio(Lent *lent);

} // namespace bench
