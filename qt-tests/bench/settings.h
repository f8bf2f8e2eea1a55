// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The parameters that all stacks share.
#pragma once

#include <string>

namespace bench {

enum class Credentials { Rsa, Ecdsa, Psk };

struct Settings {
    // Holds rsa.crt, rsa.key, ecdsa.crt and ecdsa.key in PEM; the certificates are self-signed and
    // for `serverName`.
    std::string folder;
    Credentials credentials = Credentials::Ecdsa;
    // The client's configuration has the system's CA certificates besides the server's own.
    bool systemCas = false;
    // Sessions may be resumed, and each client after the first one tries to.
    bool resumption = false;
    // Each connection's configuration is made for it.
    bool ownConfigurations = false;

    std::string file(const char *extension) const
    {
        return folder + (credentials == Credentials::Rsa ? "/rsa." : "/ecdsa.") + extension;
    }

    const char *cipher() const
    {
        switch (credentials) {
        case Credentials::Rsa:
            return "ECDHE-RSA-AES256-GCM-SHA384";
        case Credentials::Ecdsa:
            return "ECDHE-ECDSA-AES256-GCM-SHA384";
        case Credentials::Psk:
            break;
        }
        return "PSK-AES256-GCM-SHA384";
    }
};

constexpr const char *systemCaFile = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char *serverName = "bench.example";
constexpr const char *pskIdentity = "client";
constexpr const char *pskKey = "a key that both sides know, 32 b";
// Every flight fits in one datagram.
constexpr int linkMtu = 1500;

} // namespace bench
