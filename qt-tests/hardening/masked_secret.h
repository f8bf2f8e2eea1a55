// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A search of this process's memory for a secret.
#pragma once

#include <QtCore/QByteArray>

namespace hardening {

// A secret that this program itself keeps only masked.
class MaskedSecret {
public:
    // A random one.
    MaskedSecret();
    // This one, of at least 32 bytes, which is wiped in place.
    explicit MaskedSecret(QByteArray &&secret);

    // The secret itself, for the callee to keep.
    QByteArray reveal() const;

    // How often the secret is found in the writable memory of this process. What is freed loses its
    // first bytes to some allocators, so the secret's second half is looked for.
    int occurrences() const;

private:
    bool matches(const char *bytes) const;

    QByteArray masked;
};

} // namespace hardening
