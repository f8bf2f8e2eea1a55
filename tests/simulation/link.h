// SPDX-License-Identifier: MIT OR Apache-2.0
// A network between two sides in simulated time.
#ifndef SIMULATION_LINK_H
#define SIMULATION_LINK_H

#include "clock.h"
#include "endpoint.h"
#include "random.h"

#include <map>
#include <optional>

namespace simulation {

using harness::Bytes;

// What may happen to a datagram; probabilities from 0 to 1.
struct Conditions {
    double loss = 0;
    double duplication = 0;
    // To be overtaken by what is sent in the next 50 ms.
    double reordering = 0;
    // To arrive with a flipped bit.
    double corruption = 0;
    Time delay = 0;
    // Is added to the delay, from nothing to this.
    Time jitter = 0;
    // The largest datagram that gets through; 0 when all do.
    std::size_t hole = 0;
};

enum class Side { Client, Server };

struct Delivery {
    Side to;
    Bytes datagram;
};

class Link {
public:
    Link(const Conditions &conditions, const Random &random)
        : conditions(conditions)
        , random(random)
    {
    }

    void send(Side to, const Bytes &datagram);
    // When the next datagram arrives.
    std::optional<Time> next() const;
    Delivery take();
    // From now on nothing is lost or changed.
    void repair() { conditions = Conditions(); }

    std::size_t sent = 0;

private:
    void arrive(Time extra, const Delivery &delivery);

    Conditions conditions;
    Random random;
    // Those that arrive at the same time keep their order.
    std::multimap<Time, Delivery> underway;
};

} // namespace simulation

#endif
