// SPDX-License-Identifier: MIT OR Apache-2.0
#include "start.h"

#include "exchange.h"
#include "qt_stack.h"

#include <QtNetwork/QDtls>

#include <valgrind/callgrind.h>

namespace bench {

namespace {

// Runs one step, the only time in this process, and reports its time. callgrind collects the step
// that the group names.
template <typename Step> void once(const std::string &group, const std::string &name, Step step)
{
    const bool collects = group == name;
    if (collects)
        CALLGRIND_TOGGLE_COLLECT;
    const double start = processorTime();
    step();
    const double time = processorTime() - start;
    if (collects)
        CALLGRIND_TOGGLE_COLLECT;
    report(name, time);
}

} // namespace

void start(const std::string &group, const Settings &settings)
{
    once(group, "start/load", [] {
        const QDtls first(QSslSocket::SslClientMode);
        require(first.dtlsError() == QDtlsError::NoError, "the first QDtls");
    });
    QtStack stack(settings);
    once(group, "start/handshake", [&] {
        Exchange<QtStack, QtStack> exchange(stack, stack, 1);
        exchange.handshake();
        require(exchange.clients[0]->isComplete(), "the first handshake");
    });
}

} // namespace bench
