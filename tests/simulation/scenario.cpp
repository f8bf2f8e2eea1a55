// SPDX-License-Identifier: MIT OR Apache-2.0
#include "scenario.h"

#include <iterator>

namespace simulation {

unsigned lossOf(std::uint64_t index)
{
    return lossLevels[index % std::size(lossLevels)];
}

static Kind kindOf(std::uint64_t percentile)
{
    if (percentile < 50)
        return Kind::Psk;
    if (percentile < 60)
        return Kind::ResumedPsk;
    if (percentile < 70)
        return Kind::ResumedCertificate;
    return percentile < 90 ? Kind::Certificate : Kind::Chain;
}

Scenario scenarioOf(std::uint64_t seed, std::uint64_t index)
{
    Random random { seed, index, 0 };
    Scenario scenario {};
    scenario.kind = kindOf(random.below(100));
    scenario.mtuHint = random.oneOf<std::uint16_t>({ 0, 0, 1280, 1500 });
    Conditions &conditions = scenario.conditions;
    conditions.loss = lossOf(index) / 100.0;
    conditions.duplication = random.oneOf({ 0.0, 0.0, 0.1, 0.3 });
    conditions.reordering = random.oneOf({ 0.0, 0.0, 0.1, 0.3 });
    conditions.corruption = random.oneOf({ 0.0, 0.0, 0.0, 0.0, 0.01, 0.1 });
    conditions.delay = millisecond * random.oneOf<Time>({ 1, 20, 300, 1700 });
    conditions.jitter = millisecond * random.oneOf<Time>({ 0, 0, 50, 200 });
    conditions.hole = random.oneOf<std::size_t>({ 0, 0, 1280, 600 });
    return scenario;
}

Network Scenario::network() const
{
    if (conditions.corruption > 0)
        return Network::Corrupting;
    const bool isLarge = kind == Kind::Chain && mtuHint > conditions.hole;
    return conditions.hole > 0 && isLarge ? Network::Hole : Network::Usual;
}

const char *nameOf(Kind kind)
{
    switch (kind) {
    case Kind::Psk:
        return "pre-shared key";
    case Kind::ResumedPsk:
        return "resumed pre-shared key";
    case Kind::ResumedCertificate:
        return "resumed certificate";
    case Kind::Certificate:
        return "certificate";
    case Kind::Chain:
        return "certificate of 6 KB";
    }
    return "";
}

const char *nameOf(Network network)
{
    switch (network) {
    case Network::Usual:
        return "usual";
    case Network::Hole:
        return "hole";
    case Network::Corrupting:
        return "corrupting";
    }
    return "";
}

std::ostream &operator<<(std::ostream &out, const Scenario &scenario)
{
    const Conditions &conditions = scenario.conditions;
    return out << nameOf(scenario.kind) << ", MTU hint " << scenario.mtuHint << ", loss "
               << conditions.loss << ", duplication " << conditions.duplication << ", reordering "
               << conditions.reordering << ", corruption " << conditions.corruption << ", delay "
               << conditions.delay / millisecond << " ms, jitter "
               << conditions.jitter / millisecond << " ms, hole above " << conditions.hole;
}

} // namespace simulation
