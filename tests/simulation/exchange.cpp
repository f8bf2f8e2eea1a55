// SPDX-License-Identifier: MIT OR Apache-2.0
#include "exchange.h"
#include "cases.h"

#include <algorithm>

using namespace harness;

namespace simulation {

namespace {

constexpr Side bothSides[] = { Side::Client, Side::Server };
// Twelve retransmissions take eight minutes.
constexpr Time longest = 30 * minute;

Side other(Side side)
{
    return side == Side::Client ? Side::Server : Side::Client;
}

void useClock(Program &program)
{
    program.onNow = [&program] { program.now = epochSeconds * 1000 + now() * 1000 / second; };
}

} // namespace

Exchange::Exchange(const AllCredentials &all, const Scenario &scenario, const Random &random,
                   std::ostream *out)
    : link(scenario.conditions, random)
    , halves { Half { Endpoint(QDTLS_ROLE_CLIENT), {}, {}, 0 },
               Half { Endpoint(QDTLS_ROLE_SERVER), {}, {}, 0 } }
    , trace(out)
{
    for (const Side side : bothSides) {
        Endpoint &endpoint = half(side).endpoint;
        useClock(endpoint);
        endpoint.onSend = [this, side](const Bytes &datagram) {
            ++half(side).sent;
            return send(side, datagram);
        };
        if (scenario.mtuHint > 0)
            CHECK_EQUAL(qdtls_connection_set_mtu_hint(endpoint.handle, scenario.mtuHint),
                        QDTLS_STATUS_OK);
    }
    useClock(listener);
    listener.onSend = [this](const Bytes &datagram) { return send(Side::Server, datagram); };
    Endpoint &server = half(Side::Server).endpoint;
    CHECK_EQUAL(qdtls_connection_set_cookie(server.handle, all.cookie.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_listener_set_cookie(listener.handle, all.cookie.handle), QDTLS_STATUS_OK);
    const bool resumes =
        scenario.kind == Kind::ResumedPsk || scenario.kind == Kind::ResumedCertificate;
    equip(half(Side::Client).endpoint, server, all.of(scenario.kind), resumes);
}

std::int32_t Exchange::send(Side from, const Bytes &datagram)
{
    log(from, "sends " + std::to_string(datagram.size()) + " bytes");
    link.send(other(from), datagram);
    return QDTLS_SEND_RESULT_SENT;
}

void Exchange::shakeHands()
{
    note(Side::Client, "start", half(Side::Client).endpoint.start());
    while (!hasEnded(Side::Client) || !hasEnded(Side::Server)) {
        if (!step())
            fail(__FILE__, __LINE__, "hangs: no timer runs, and no error was reported");
        if (now() > longest)
            fail(__FILE__, __LINE__, "hangs: neither finished nor failed in 30 minutes");
    }
}

bool Exchange::hasEnded(Side side) const
{
    const Half &one = half(side);
    if (!one.error.empty() || one.endpoint.state() == QDTLS_STATE_COMPLETE)
        return true;
    // A server that never saw a cookie has nothing to report.
    const bool isNew = one.endpoint.state() == QDTLS_STATE_NOT_STARTED;
    return side == Side::Server && isNew && !half(Side::Client).error.empty();
}

std::optional<Time> Exchange::nextTimer(Side side) const
{
    const auto left = half(side).endpoint.timeout();
    return left ? std::optional(now() + *left) : std::nullopt;
}

bool Exchange::step()
{
    std::optional<Time> first = link.next();
    std::optional<Side> expired;
    for (const Side side : bothSides) {
        const auto timer = nextTimer(side);
        if (timer && (!first || *timer < *first)) {
            first = timer;
            expired = side;
        }
    }
    if (!first)
        return false;
    setNow(std::max(now(), *first));
    if (expired)
        expire(*expired);
    else
        receive(link.take());
    return true;
}

void Exchange::expire(Side side)
{
    Endpoint &endpoint = half(side).endpoint;
    log(side, "timer");
    note(side, "handle_timeout", endpoint.handleTimeout());
    // More than every retransmission: its timer is always due, and time stands still.
    CHECK(++expiries < 1000);
}

void Exchange::receive(const Delivery &delivery)
{
    const Side side = delivery.to;
    Half &one = half(side);
    log(side, "gets " + std::to_string(delivery.datagram.size()) + " bytes");
    if (!one.error.empty())
        return;
    if (one.endpoint.state() == QDTLS_STATE_COMPLETE)
        read(side, delivery.datagram);
    else
        shakeHands(side, delivery.datagram);
}

void Exchange::shakeHands(Side side, const Bytes &datagram)
{
    Endpoint &endpoint = half(side).endpoint;
    if (endpoint.state() == QDTLS_STATE_NOT_STARTED) {
        if (listener.verify(datagram))
            note(side, "start", endpoint.start(datagram));
    } else {
        note(side, "continue", endpoint.proceed(datagram));
    }
    if (half(side).error.empty())
        acceptWhenAsked(endpoint);
}

void Exchange::read(Side side, const Bytes &datagram)
{
    Half &one = half(side);
    const std::string text = one.endpoint.read(datagram);
    if (!text.empty())
        one.received.push_back(text);
    note(side, "read", one.endpoint.status);
    if (one.error.empty() && one.endpoint.end != QDTLS_STATUS_OK)
        one.error = "read: ended with " + std::to_string(one.endpoint.end);
}

void Exchange::note(Side side, const char *call, qdtls_status status)
{
    if (status == QDTLS_STATUS_OK)
        return;
    const std::string reason = half(side).endpoint.lastError().reason;
    CHECK(!reason.empty());
    half(side).error = std::string(call) + ": " + reason;
    log(side, half(side).error);
}

bool Exchange::isComplete() const
{
    const auto is = [this](Side side) {
        return half(side).error.empty() && half(side).endpoint.state() == QDTLS_STATE_COMPLETE;
    };
    return is(Side::Client) && is(Side::Server);
}

std::string Exchange::errors() const
{
    std::string text;
    for (const Side side : bothSides) {
        if (half(side).error.empty())
            continue;
        text += text.empty() ? "" : "; ";
        text += (side == Side::Client ? "client, " : "server, ") + half(side).error;
    }
    return text;
}

void Exchange::talk()
{
    const std::string names[] = { "client ", "server " };
    std::array<std::vector<std::string>, 2> sent;
    for (int i = 0; i < 3; ++i) {
        for (const Side side : bothSides) {
            sent[std::size_t(side)].push_back(names[std::size_t(side)] + std::to_string(i));
            write(side, sent[std::size_t(side)].back());
        }
    }
    while (step()) { }
    for (const Side side : bothSides) {
        CHECK_EQUAL(half(side).error, "");
        checkReceived(side, sent[std::size_t(other(side))]);
        half(side).received.clear();
    }
    link.repair();
    for (const Side side : bothSides)
        write(side, "the last");
    while (step()) { }
    for (const Side side : bothSides) {
        CHECK_EQUAL(half(side).error, "");
        CHECK_EQUAL(half(side).received.size(), 1u);
        CHECK_EQUAL(half(side).received.front(), "the last");
    }
}

void Exchange::write(Side side, const std::string &message)
{
    CHECK_EQUAL(half(side).endpoint.write(message), QDTLS_STATUS_OK);
}

// Messages may be lost, but neither changed nor repeated.
void Exchange::checkReceived(Side side, const std::vector<std::string> &sent) const
{
    for (const std::string &message : sent) {
        const auto &received = half(side).received;
        CHECK(std::count(received.begin(), received.end(), message) <= 1);
    }
    for (const std::string &message : half(side).received)
        CHECK(std::find(sent.begin(), sent.end(), message) != sent.end());
}

void Exchange::log(Side side, const std::string &what) const
{
    if (trace)
        *trace << double(now()) / double(second)
               << " s: " << (side == Side::Client ? "client " : "server ") << what << '\n';
}

} // namespace simulation
