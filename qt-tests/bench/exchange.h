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

#include <valgrind/callgrind.h>

namespace bench {

// Runs while the server works.
class ServerClock {
public:
    // Has callgrind collect what it measures.
    explicit ServerClock(bool profiled = false)
        : profiled(profiled)
    {
    }

    template <typename Work> void measure(Work work)
    {
        giveWay();
        if (profiled)
            CALLGRIND_TOGGLE_COLLECT;
        const double start = processorTime();
        work();
        total += processorTime() - start;
        if (profiled)
            CALLGRIND_TOGGLE_COLLECT;
    }

    double nanoseconds() const { return total; }

private:
    const bool profiled;
    double total = 0;
};

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
        ServerClock clock;
        handshake(clock);
    }

    void handshake(ServerClock &clock)
    {
        startClients();
        while (const auto packet = wire().take()) {
            if (packet->toServer)
                clock.measure([&] { toServer(*packet); });
            else
                toClient(*packet);
        }
        requireComplete();
    }

    // In turns: all datagrams of one side, then all that they are answered with.
    void startClients()
    {
        for (size_t i = 0; i < clients.size(); ++i) {
            wire().clientSpeaks(portOf(i));
            clients[i] = std::make_unique<typename ClientStack::Client>(clientStack, portOf(i));
            clients[i]->start();
        }
    }

    void serverTurn()
    {
        for (auto packet = wire().takeFor(true); packet; packet = wire().takeFor(true))
            toServer(*packet);
    }

    void clientTurn()
    {
        for (auto packet = wire().takeFor(false); packet; packet = wire().takeFor(false))
            toClient(*packet);
    }

    void requireComplete() const
    {
        for (size_t i = 0; i < clients.size(); ++i)
            require(servers[i] && servers[i]->isComplete() && clients[i]->isComplete(),
                    "a handshake");
    }

    // The server has sent its certificate.
    bool sawCertificate() const { return certificate; }

private:
    static constexpr uint16_t firstPort = 10'000;

    static uint16_t portOf(size_t index) { return uint16_t(firstPort + index); }

    // Handles a datagram as an application does, from a peer it knows or not.
    void toServer(const Packet &packet)
    {
        wire().serverSpeaks(packet.port);
        auto &connection = servers[packet.port - firstPort];
        const typename ServerStack::Datagram datagram(packet.data.data(), packet.data.size());
        if (connection)
            connection->receive(datagram);
        else if (serverStack.verify(datagram, packet.port))
            connection = serverStack.accept(datagram, packet.port);
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

    bool certificate = false;
};

} // namespace bench
