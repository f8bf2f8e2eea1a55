// SPDX-License-Identifier: MIT OR Apache-2.0
#include "report.h"

#include <algorithm>
#include <cctype>
#include <iomanip>

namespace simulation {

// The text with N for each number, so that errors of one kind are counted together.
static std::string kindOf(const std::string &error)
{
    std::string kind;
    for (const char letter : error) {
        const bool isDigit = std::isdigit(static_cast<unsigned char>(letter)) != 0;
        if (!isDigit)
            kind += letter;
        else if (kind.empty() || kind.back() != 'N')
            kind += 'N';
    }
    return kind;
}

void Report::add(const Result &result)
{
    Row &row = rows[{ result.network, result.loss }];
    ++total;
    digest ^= Random { result.index, result.took, result.datagrams }.next();
    if (!result.defect.empty()) {
        ++row.defective;
        ++defective;
    } else if (result.error.empty()) {
        row.completed.push_back(result.took);
    } else {
        ++row.failed;
        ++errors[kindOf(result.error)];
    }
}

// In seconds.
static double quantile(std::vector<Time> times, double share)
{
    if (times.empty())
        return 0;
    std::sort(times.begin(), times.end());
    const auto place = std::size_t(share * double(times.size() - 1));
    return double(times[place]) / double(second);
}

void Report::print(std::ostream &out) const
{
    out << std::left << std::setw(12) << "network" << std::right << std::setw(7) << "loss"
        << std::setw(11) << "completed" << std::setw(8) << "failed" << std::setw(9) << "defects"
        << std::setw(10) << "median s" << std::setw(8) << "p90 s" << '\n'
        << std::fixed << std::setprecision(2);
    for (const auto &[key, row] : rows) {
        out << std::left << std::setw(12) << nameOf(key.first) << std::right << std::setw(5)
            << key.second << " %" << std::setw(11) << row.completed.size() << std::setw(8)
            << row.failed << std::setw(9) << row.defective << std::setw(10)
            << quantile(row.completed, 0.5) << std::setw(8) << quantile(row.completed, 0.9) << '\n';
    }
    for (const auto &[error, count] : errors)
        out << std::setw(6) << count << ' ' << error << '\n';
    out << "digest " << std::hex << digest << std::dec << '\n';
    out << total << " cases, " << defective << " defects" << std::endl;
}

} // namespace simulation
