// SPDX-License-Identifier: MIT OR Apache-2.0
// What both sides prove themselves with, made once for all cases.
#ifndef SIMULATION_CREDENTIALS_H
#define SIMULATION_CREDENTIALS_H

#include "pair.h"
#include "scenario.h"

namespace simulation {

struct Credentials {
    harness::ContextPtr client;
    harness::ContextPtr server;
    // The session of a first handshake, for a client that resumes.
    Bytes session;
};

class AllCredentials {
public:
    AllCredentials();

    const Credentials &of(Kind kind) const;
    // Shared, as the processes of one server share it.
    harness::Cookie cookie;

private:
    Credentials psk;
    Credentials certificate;
    Credentials chain;
};

// Gives both sides their roles' credentials, and the client the session if it is to resume.
void equip(harness::Endpoint &client, harness::Endpoint &server, const Credentials &credentials,
           bool resumes);

} // namespace simulation

#endif
