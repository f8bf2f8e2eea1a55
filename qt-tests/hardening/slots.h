// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Code that runs in slots, while QDtls is at work below them.
#pragma once

#include "pair/loopback.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace hardening {

using namespace pair;

// Runs `action` the next time the endpoint's socket has sent something, and only then.
template <typename Action> void onNextSend(Endpoint &endpoint, Action action)
{
    QObject::connect(&endpoint.socket, &QUdpSocket::bytesWritten, &endpoint.socket, action,
                     Qt::ConnectionType(Qt::DirectConnection | Qt::SingleShotConnection));
}

// Runs `action` in a slot of pskRequired that comes after the one that answers.
template <typename Action> void onPskRequired(Endpoint &endpoint, Action action)
{
    QObject::connect(endpoint.dtls.get(), &QDtls::pskRequired, &endpoint.socket, action);
}

// Freed memory is overwritten at once, so that a use after free is seen rather than survived.
inline void overwriteFreedMemory()
{
#ifdef __GLIBC__
    mallopt(M_PERTURB, 0xa5);
#endif
}

} // namespace hardening
