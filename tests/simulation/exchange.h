// SPDX-License-Identifier: MIT OR Apache-2.0
// One case: a handshake and data between a client and a server with a listener in front.
#ifndef SIMULATION_EXCHANGE_H
#define SIMULATION_EXCHANGE_H

#include "credentials.h"

#include <array>
#include <string>

namespace simulation {

class Exchange {
public:
    // Writes what happens to `trace`, if there is one.
    Exchange(const AllCredentials &all, const Scenario &scenario, const Random &random,
             std::ostream *trace);

    // Until each side has finished or reported an error. Fails when one does neither.
    void shakeHands();
    // Once both have finished: messages in both directions while the network is as it was, and one
    // each that must get through after it is repaired.
    void talk();

    bool isComplete() const;
    // The reasons of the sides that failed.
    std::string errors() const;
    std::size_t datagrams() const { return link.sent; }

private:
    struct Half {
        harness::Endpoint endpoint;
        std::string error;
        std::vector<std::string> received;
        std::size_t sent = 0;
    };

    Half &half(Side side) { return halves[std::size_t(side)]; }
    const Half &half(Side side) const { return halves[std::size_t(side)]; }
    std::int32_t send(Side from, const Bytes &datagram);
    bool hasEnded(Side side) const;
    std::optional<Time> nextTimer(Side side) const;
    // Lets happen what comes next; false when nothing is to come.
    bool step();
    void expire(Side side);
    void receive(const Delivery &delivery);
    void shakeHands(Side side, const Bytes &datagram);
    void read(Side side, const Bytes &datagram);
    void note(Side side, const char *call, qdtls_status status);
    void write(Side side, const std::string &message);
    void checkReceived(Side side, const std::vector<std::string> &sent) const;
    void log(Side side, const std::string &what) const;

    Link link;
    harness::Listener listener;
    std::array<Half, 2> halves;
    std::ostream *trace;
    unsigned expiries = 0;
};

} // namespace simulation

#endif
