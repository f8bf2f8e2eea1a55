// SPDX-License-Identifier: MIT OR Apache-2.0
#include "server.h"

namespace soak {

constexpr qint64 longestQuietMs = 5000;
// What comes while others are served waits in the kernel.
constexpr int receiveBuffer = 8 << 20;

bool Server::listen()
{
    if (!bind())
        return false;
    socket.setSocketOption(QAbstractSocket::ReceiveBufferSizeSocketOption, receiveBuffer);
    return true;
}

void Server::onMessage(QDtls &dtls, const QByteArray &message)
{
    dtls.writeDatagramEncrypted(&socket, message);
}

void Server::sweep()
{
    for (auto next = peers.begin(); next != peers.end();) {
        const auto peer = next++;
        if (peer->second.quiet.hasExpired(longestQuietMs))
            forget(peer);
    }
}

} // namespace soak
