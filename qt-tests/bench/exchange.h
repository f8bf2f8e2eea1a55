// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Handshakes of any number of clients with one server, the cookie exchange included, in the order
// in which the datagrams are sent.
#pragma once

#include "fail.h"
#include "measure.h"
#include "wire.h"

#include <memory>
#include <vector>

namespace bench {

// `ServerStack` and `ClientStack` are RawStack or QtStack.
template <typename ServerStack, typename ClientStack> class Exchange {
    ServerStack &serverStack;
    ClientStack &clientStack;

public:
    std::vector<std::unique_ptr<typename ClientStack::Client>> clients;
    std::vector<std::unique_ptr<typename ServerStack::Server>> servers;

    Exchange(ServerStack &server, ClientStack &client, size_t count)
        : serverStack(server)
        , clientStack(client)
        , clients(count)
        , servers(count)
    {
    }

    void handshake()
    {
        for (size_t i = 0; i < clients.size(); ++i) {
            wire().clientSpeaks(portOf(i));
            clients[i] = std::make_unique<typename ClientStack::Client>(clientStack, portOf(i));
            clients[i]->start();
        }
        while (const auto packet = wire().take()) {
            if (packet->toServer)
                toServer(*packet);
            else
                toClient(*packet);
        }
        for (size_t i = 0; i < clients.size(); ++i)
            require(servers[i] && servers[i]->isComplete() && clients[i]->isComplete(),
                    "a handshake");
    }

    void closeServers()
    {
        const double start = processorTime();
        servers.clear();
        serverTime += processorTime() - start;
    }

    // The time of the server so far.
    double nanosecondsOfServer() const { return serverTime; }

    // The server has sent its certificate.
    bool sawCertificate() const { return certificate; }

private:
    static constexpr uint16_t firstPort = 10'000;

    static uint16_t portOf(size_t index) { return uint16_t(firstPort + index); }

    // Handles a datagram as an application does, from a peer it knows or not.
    void toServer(const Packet &packet)
    {
        const double start = processorTime();
        wire().serverSpeaks(packet.port);
        auto &connection = servers[packet.port - firstPort];
        const typename ServerStack::Datagram datagram(packet.data.data(), packet.data.size());
        if (connection)
            connection->receive(datagram);
        else if (serverStack.verify(datagram, packet.port))
            connection = serverStack.accept(datagram, packet.port);
        serverTime += processorTime() - start;
    }

    void toClient(const Packet &packet)
    {
        wire().clientSpeaks(packet.port);
        certificate = certificate || hasCertificate(packet.data);
        const typename ClientStack::Datagram datagram(packet.data.data(), packet.data.size());
        clients[packet.port - firstPort]->receive(datagram);
    }

    // OpenSSL gives each message of a handshake a record of its own.
    static bool hasCertificate(const std::string &datagram)
    {
        constexpr size_t header = 13;
        const auto byte = [&datagram](size_t at) { return uint8_t(datagram[at]); };
        for (size_t at = 0; at + header < datagram.size();) {
            const bool plaintextHandshake =
                byte(at) == 22 && byte(at + 3) == 0 && byte(at + 4) == 0;
            if (plaintextHandshake && byte(at + header) == 11)
                return true;
            at += header + (size_t(byte(at + 11)) << 8 | byte(at + 12));
        }
        return false;
    }

    double serverTime = 0;
    bool certificate = false;
};

} // namespace bench
