// SPDX-License-Identifier: MIT OR Apache-2.0
// Client and server of the library on bad networks, in simulated time. The seed and the number of a
// case decide everything in it. Any hang, any wrong message, and any failure where the network
// excuses none make the exit code 1.
#include "exchange.h"
#include "report.h"

#include <cstdlib>
#include <iostream>

using namespace simulation;

namespace {

// Loss up to which a network that corrupts nothing lets every handshake finish.
constexpr unsigned excusable = 10;

Result simulate(const AllCredentials &all, std::uint64_t seed, std::uint64_t index,
                std::ostream *trace)
{
    setNow(0);
    seedOpenssl(seed, index);
    const Scenario scenario = scenarioOf(seed, index);
    if (trace)
        *trace << scenario << '\n';
    const bool isCorrupting = scenario.network() == Network::Corrupting;
    Result result { index, lossOf(index), scenario.network(), 0, 0, {}, {} };
    try {
        Exchange exchange(all, scenario, Random { seed, index, 2 }, trace);
        exchange.shakeHands();
        result.took = now();
        result.error = exchange.errors();
        if (exchange.isComplete())
            exchange.talk();
        else if (!isCorrupting && result.loss <= excusable)
            result.defect = "failed without an excuse: " + result.error;
        result.datagrams = exchange.datagrams();
    } catch (const std::exception &failure) {
        result.defect = failure.what();
    }
    return result;
}

} // namespace

int main(int count, char **arguments)
{
    if (count != 4) {
        std::cerr << "usage: " << arguments[0] << " SEED FIRST COUNT" << std::endl;
        return 2;
    }
    const auto number = [&](int at) { return std::strtoull(arguments[at], nullptr, 10); };
    const std::uint64_t seed = number(1);
    const std::uint64_t first = number(2);
    const std::uint64_t cases = number(3);
    seedOpenssl(0, 0);
    const AllCredentials all;
    Report report;
    for (std::uint64_t index = first; index < first + cases; ++index) {
        const Result result = simulate(all, seed, index, cases == 1 ? &std::cout : nullptr);
        if (!result.defect.empty())
            std::cout << "FAIL " << scenarioOf(seed, index) << ": " << result.defect
                      << "\n     to repeat: " << arguments[0] << ' ' << seed << ' ' << index
                      << " 1\n";
        report.add(result);
    }
    report.print(std::cout);
    return report.defects() == 0 && cases > 0 ? 0 : 1;
}
