// SPDX-License-Identifier: MIT OR Apache-2.0
#include "server.h"

#include "pair/error_names.h"

#include <QtNetwork/QHostAddress>

namespace lossy {

Server::Server(const Settings &all)
    : pair::Server(all.server)
    , settings(all)
{
}

bool Server::start()
{
    return bind() && socket.writeDatagram("server", QHostAddress::LocalHost, settings.control) > 0;
}

bool Server::isComplete(quint16 port) const
{
    const auto peer = peers.find(port);
    return peer != peers.end() && peer->second.dtls->handshakeState() == QDtls::HandshakeComplete;
}

QString Server::error(quint16 port) const
{
    const auto error = errors.find(port);
    return error == errors.end() ? QString() : error->second;
}

void Server::prepare(QDtls &dtls)
{
    if (settings.mtuHint > 0)
        dtls.setMtuHint(quint16(settings.mtuHint));
}

void Server::onFailed(quint16 port, const QDtls &dtls)
{
    errors[port] = QLatin1String(pair::nameOf(dtls.dtlsError())) + ": " + dtls.dtlsErrorString();
}

} // namespace lossy
