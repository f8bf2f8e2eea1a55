// SPDX-License-Identifier: MIT OR Apache-2.0
#include "link.h"

#include <utility>

namespace simulation {

// Every datagram draws the same numbers, so that what happens to one does not depend on the others.
void Link::send(Side to, const Bytes &datagram)
{
    ++sent;
    const bool isLost = random.chance(conditions.loss);
    const bool isDoubled = random.chance(conditions.duplication);
    const bool isOvertaken = random.chance(conditions.reordering);
    const bool isCorrupted = random.chance(conditions.corruption);
    const std::uint64_t bit = random.below(datagram.size() * 8);
    const Time jitters[] = { random.below(conditions.jitter), random.below(conditions.jitter) };
    if (isLost || (conditions.hole > 0 && datagram.size() > conditions.hole))
        return;
    Delivery delivery { to, datagram };
    if (isCorrupted)
        delivery.datagram[bit / 8] ^= std::uint8_t(1 << bit % 8);
    arrive(jitters[0] + (isOvertaken ? 50 * millisecond : 0), delivery);
    if (isDoubled)
        arrive(jitters[1], delivery);
}

void Link::arrive(Time extra, const Delivery &delivery)
{
    underway.emplace(now() + conditions.delay + extra, delivery);
}

std::optional<Time> Link::next() const
{
    return underway.empty() ? std::nullopt : std::optional(underway.begin()->first);
}

Delivery Link::take()
{
    const auto first = underway.begin();
    Delivery delivery = std::move(first->second);
    underway.erase(first);
    return delivery;
}

} // namespace simulation
