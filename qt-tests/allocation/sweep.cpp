// SPDX-License-Identifier: MIT OR Apache-2.0
#include "sweep.h"

#include "child.h"
#include "heap.h"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace allocation {

// The progress of a child process, readable by its parent after the child has ended.
struct Sweep::Progress {
    quint64 allocations = 0; // in a whole run
    quint64 number = 0; // the one that is failing
    bool isNext = false; // that run is over, and the next goes on without failures
    Stack failed;
    Crash crash;
};

Sweep::Sweep(QByteArray name, Subject subject, int rehearsals, unsigned hangSeconds)
    : name(std::move(name))
    , subject(std::move(subject))
    , rehearsals(rehearsals)
    , hangSeconds(hangSeconds)
    , progress(makeShared<Progress>())
{
}

bool Sweep::run(quint64 interval)
{
    const quint64 last = countAllocations();
    for (const Failure one : { Failure::Once, Failure::Onwards }) {
        failure = one;
        for (quint64 number = 1; number <= last; number = progress->number + interval) {
            const auto sweepOn = [&] { sweepFrom(number, last, interval); };
            const QByteArray end = inChild(&progress->crash, sweepOn);
            if (!end.isEmpty())
                report(end, progress->isNext ? "in the next run" : "");
        }
    }
    return last > 0;
}

// The runs before the sweep, which must succeed.
bool Sweep::rehearse() const
{
    for (int i = 0; i < rehearsals; ++i) {
        const Ending ending = subject();
        if (ending.kind != Ending::Completed) {
            std::fprintf(stderr, "%s does not work: %s\n", name.constData(),
                         ending.detail.constData());
            return false;
        }
    }
    return true;
}

quint64 Sweep::countAllocations() const
{
    const QByteArray end = inChild(&progress->crash, [this] {
        if (!rehearse())
            return;
        failures::arm(Failure::None, 0, nullptr);
        const Ending ending = subject();
        const quint64 count = failures::disarm();
        if (ending.kind == Ending::Completed)
            progress->allocations = count;
    });
    return end.isEmpty() ? progress->allocations : 0;
}

// The part of the sweep in one process.
void Sweep::sweepFrom(quint64 number, quint64 last, quint64 interval) const
{
    progress->number = number;
    if (!rehearse())
        std::exit(EXIT_FAILURE);
    while (number <= last && sweepOne(number) && rehearsals > 0)
        number += interval;
}

// False when this process cannot go on.
bool Sweep::sweepOne(quint64 number) const
{
    progress->number = number;
    progress->isNext = false;
    const auto before = heap::liveBlocks();
    const Ending ending = runFailing(number);
    progress->isNext = true;
    const Ending next = subject();
    if (next.kind != Ending::Completed) {
        report("next-broken", next.detail);
        return false;
    }
    // A leak of a first run looks the same as what OpenSSL sets up and keeps.
    const bool isThrown = ending.kind == Ending::Thrown; // which explains a leak
    if (rehearsals > 0 && !isThrown && heap::liveBlocks() > before && leaksAgain(number))
        report("leak", ending.detail);
    else
        report(Ending::nameOf(ending.kind), ending.detail);
    return true;
}

Ending Sweep::runFailing(quint64 number) const
{
    alarm(hangSeconds);
    progress->failed.clear();
    failures::arm(failure, number, &progress->failed);
    const Ending ending = subject();
    failures::disarm();
    return ending;
}

// Memory that the first run of a path allocates and keeps is no leak. A leak repeats.
bool Sweep::leaksAgain(quint64 number) const
{
    constexpr int times = 3;
    for (int i = 0; i < times; ++i) {
        const auto before = heap::liveBlocks();
        runFailing(number);
        subject();
        if (heap::liveBlocks() <= before)
            return false;
    }
    return true;
}

void Sweep::report(const QByteArray &outcome, const QByteArray &detail) const
{
    const bool isFine = outcome == "completed" || outcome == "refused";
    const QByteArrayList columns {
        name,
        failure == Failure::Once ? "once" : "onwards",
        QByteArray::number(progress->number),
        outcome,
        detail.isEmpty() ? "-" : detail.simplified(),
        progress->failed.text(),
        isFine ? "-" : progress->crash.place.text(),
    };
    // Flush now: the process may crash before its end.
    std::puts(columns.join('\t').constData());
    std::fflush(stdout);
}

} // namespace allocation
