// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Runs something once for each allocation in it, and lets that allocation fail.
#pragma once

#include "exchange.h"
#include "failures.h"

#include <functional>

namespace allocation {

using Subject = std::function<Ending()>;

class Sweep {
public:
    // `rehearsals` runs of the subject precede the swept ones, so that OpenSSL and the plugin have
    // set up what they need once. With none, each allocation fails in the first run of a process.
    // A run that takes longer than `hangSeconds` hangs.
    Sweep(QByteArray name, Subject subject, int rehearsals, unsigned hangSeconds);

    // Sweeps every `interval`th allocation. Writes one line for each to standard output:
    //   name  failure  number  outcome  detail  stack  stack
    // The outcome is one of
    //   completed | refused | lost | wrong | thrown | leak | next-broken | crash:<signal> | hang
    // and the first two are fine. The first stack is that of the allocation that failed, the second
    // that of the crash or hang. False when the subject does not even work as it is.
    bool run(quint64 interval);

private:
    struct Progress;

    bool rehearse() const;
    quint64 countAllocations() const;
    void sweepFrom(quint64 number, quint64 last, quint64 interval) const;
    bool sweepOne(quint64 number) const;
    Ending runFailing(quint64 number) const;
    bool leaksAgain(quint64 number) const;
    void report(const QByteArray &outcome, const QByteArray &detail) const;

    const QByteArray name;
    const Subject subject;
    const int rehearsals;
    const unsigned hangSeconds;
    Failure failure = Failure::Once;
    Progress *const progress;
};

} // namespace allocation
