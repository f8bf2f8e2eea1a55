// SPDX-License-Identifier: MIT OR Apache-2.0
// What became of the cases, by network and loss.
#ifndef SIMULATION_REPORT_H
#define SIMULATION_REPORT_H

#include "scenario.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace simulation {

struct Result {
    std::uint64_t index;
    unsigned loss;
    Network network;
    // When both sides had finished or failed.
    Time took;
    std::size_t datagrams;
    // What the sides reported; empty when both finished.
    std::string error;
    // Why the case is not right; empty when it is.
    std::string defect;
};

class Report {
public:
    void add(const Result &result);
    void print(std::ostream &out) const;
    std::size_t defects() const { return defective; }

private:
    struct Row {
        std::vector<Time> completed;
        std::size_t failed = 0;
        std::size_t defective = 0;
    };

    std::map<std::pair<Network, unsigned>, Row> rows;
    std::map<std::string, std::size_t> errors;
    std::size_t total = 0;
    // Of all results, whatever their order.
    std::uint64_t digest = 0;
    std::size_t defective = 0;
};

} // namespace simulation

#endif
