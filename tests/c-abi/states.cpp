// SPDX-License-Identifier: MIT OR Apache-2.0
// E7: each function of a connection in each state, compared with the table in docs/abi.md; and the
// functions' comments, which name the statuses of the table.
#include "arguments.h"
#include "cases.h"
#include "pair.h"

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <utility>

using namespace harness;

namespace {

using Statuses = std::vector<std::string>;

std::string contentOf(const std::string &path)
{
    std::ifstream file(path);
    CHECK(file.good());
    return { std::istreambuf_iterator<char>(file), {} };
}

// The cells of a line of a Markdown table, without spaces and accents.
Statuses cellsOf(const std::string &line)
{
    Statuses cells;
    std::string cell;
    for (const char c : line.substr(1)) {
        if (c == '|')
            cells.push_back(std::exchange(cell, {}));
        else if (c != ' ' && c != '`')
            cell += c;
    }
    return cells;
}

// The rows below the heading "States", by function.
std::map<std::string, Statuses> documentedTable()
{
    const std::string folder = headerPath().substr(0, headerPath().rfind('/'));
    std::istringstream lines(contentOf(folder + "/../docs/abi.md"));
    std::map<std::string, Statuses> rows;
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("## ", 0) == 0)
            inside = line == "## States";
        if (inside && line.rfind("| `", 0) == 0 && line.find("OK") != std::string::npos) {
            const Statuses cells = cellsOf(line);
            rows["qdtls_connection_" + cells[0]] = { cells.begin() + 1, cells.end() };
        }
    }
    return rows;
}

std::string nameOf(qdtls_status status)
{
    switch (status) {
    case QDTLS_STATUS_OK:
        return "OK";
    case QDTLS_STATUS_INVALID_STATE:
        return "INVALID_STATE";
    case QDTLS_STATUS_BUSY:
        return "BUSY";
    default:
        return std::to_string(status);
    }
}

// Kept until the end.
qdtls_session *anySession()
{
    Pair pair;
    for (Endpoint *side : { &pair.client, &pair.server }) {
        CHECK_EQUAL(qdtls_connection_reset(side->handle), QDTLS_STATUS_OK);
        CHECK_EQUAL(qdtls_connection_set_resumption(side->handle, 1, nullptr, 0), QDTLS_STATUS_OK);
    }
    pair.client.init(pair.clientTls.get());
    pair.server.init(pair.serverTls.get());
    pair.connect();
    qdtls_session *session = nullptr;
    CHECK_EQUAL(qdtls_connection_keep_session(pair.client.handle, &session), QDTLS_STATUS_OK);
    CHECK(session != nullptr);
    return session;
}

// Does not throw: it may run inside a callback.
using Call = std::function<qdtls_status(Pair &, Outputs &)>;

const std::map<std::string, Call> &calls()
{
#define CONNECTION(function, arguments)                                                            \
    {                                                                                              \
        "qdtls_connection_" #function,                                                             \
            []([[maybe_unused]] Pair &pair, [[maybe_unused]] Outputs &out) {                       \
                [[maybe_unused]] qdtls_connection *c = pair.client.handle;                         \
                return qdtls_connection_##function arguments;                                      \
            }                                                                                      \
    }
    static const std::uint8_t byte[] = { 'x' };
    static qdtls_session *const session = anySession();
    static const std::map<std::string, Call> all {
        CONNECTION(set_peer, (c, &pair.address)),
        CONNECTION(set_mtu_hint, (c, 0)),
        CONNECTION(set_server_name, (c, byte, 1)),
        CONNECTION(set_alpn, (c, nullptr, 0)),
        CONNECTION(set_resumption, (c, 0, nullptr, 0)),
        CONNECTION(set_cookie, (c, nullptr)),
        CONNECTION(init_tls, (c, SSL_new(pair.clientTls.get()), nullptr, nullptr)),
        CONNECTION(start, (c, nullptr, 0, &out.number)),
        CONNECTION(continue, (c, byte, 1, &out.number)),
        CONNECTION(judge_peer, (c, 1)),
        CONNECTION(abort, (c)),
        CONNECTION(shutdown, (c)),
        CONNECTION(reset, (c)),
        CONNECTION(timeout, (c, &out.flag, &out.wide)),
        CONNECTION(handle_timeout, (c, &out.flag)),
        CONNECTION(write, (c, byte, 1, &out.size)),
        CONNECTION(read_capacity, (c, 1, &out.size)),
        CONNECTION(read, (c, byte, 1, out.bytes, sizeof out.bytes, &out.size, &out.number)),
        CONNECTION(state, (c, &out.number)),
        CONNECTION(may_resume, (c, 1, 1, 1, &out.flag)),
        CONNECTION(peer_certificate, (c, &out.certificate)),
        CONNECTION(peer_chain, (c, &out.chain)),
        CONNECTION(cipher, (c, &out.cipher)),
        CONNECTION(protocol, (c, &out.number)),
        CONNECTION(alpn, (c, &out.name, &out.size)),
        CONNECTION(session, (c, out.bytes, sizeof out.bytes, &out.size, &out.wide)),
        CONNECTION(keep_session, (c, &out.session)),
        CONNECTION(offer_session, (c, session)),
        CONNECTION(verify_errors, (c, &out.verifyError, 1, &out.size)),
        CONNECTION(last_error, (c, &out.error)),
        CONNECTION(set_srtp, (c, nullptr, 0)),
        CONNECTION(set_accept_verified, (c, 0)),
        CONNECTION(parameters, (c, &out.parameters)),
        CONNECTION(export, (c, byte, 1, nullptr, 0, out.bytes, 16)),
        CONNECTION(srtp, (c, &out.srtpKeys)),
        CONNECTION(alerts, (c, &out.number, &out.number)),
        CONNECTION(statistics, (c, &out.counters)),
    };
#undef CONNECTION
    return all;
}

// Brings the client of a pair into a state, calls, and returns the status.
struct State {
    const char *name;
    qdtls_status (*enterAndCall)(Pair &, Outputs &, const Call &);
};

qdtls_status callWhenNew(Pair &pair, Outputs &out, const Call &call)
{
    qdtls_connection_reset(pair.client.handle);
    return call(pair, out);
}

qdtls_status callWhenSetUp(Pair &pair, Outputs &out, const Call &call)
{
    return call(pair, out);
}

qdtls_status callWhenFailed(Pair &pair, Outputs &out, const Call &call)
{
    const Bytes alert { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40 };
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.proceed(alert), QDTLS_STATUS_ALERT_RECEIVED);
    return call(pair, out);
}

qdtls_status callWhenInProgress(Pair &pair, Outputs &out, const Call &call)
{
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    return call(pair, out);
}

qdtls_status callBeforeVerdict(Pair &pair, Outputs &out, const Call &call)
{
    pair.connectUntilVerdicts();
    return call(pair, out);
}

qdtls_status callWhenRefused(Pair &pair, Outputs &out, const Call &call)
{
    pair.connectUntilVerdicts();
    CHECK_EQUAL(qdtls_connection_judge_peer(pair.client.handle, 0), QDTLS_STATUS_OK);
    return call(pair, out);
}

qdtls_status callWhenComplete(Pair &pair, Outputs &out, const Call &call)
{
    pair.connect();
    return call(pair, out);
}

// Calls from inside the next send of the client, once.
void callInSend(Pair &pair, Outputs &out, const Call &call, qdtls_status &status)
{
    status = QDTLS_STATUS_INTERNAL;
    pair.client.onSend = [&, call, called = false](const Bytes &) mutable {
        if (!std::exchange(called, true))
            status = call(pair, out);
        return QDTLS_SEND_RESULT_SENT;
    };
}

qdtls_status callInsideHandshake(Pair &pair, Outputs &out, const Call &call)
{
    qdtls_status status;
    const Call copy = call;
    callInSend(pair, out, copy, status);
    pair.client.start();
    return status;
}

qdtls_status callInsideWrite(Pair &pair, Outputs &out, const Call &call)
{
    pair.connect();
    qdtls_status status;
    callInSend(pair, out, call, status);
    const std::uint8_t byte[] = { 'y' };
    std::size_t written = 0;
    qdtls_connection_write(pair.client.handle, byte, 1, &written);
    return status;
}

// In the order of the columns.
const State states[] = {
    { "new", callWhenNew },
    { "set up", callWhenSetUp },
    { "failed", callWhenFailed },
    { "in progress", callWhenInProgress },
    { "verdict awaited", callBeforeVerdict },
    { "refused", callWhenRefused },
    { "complete", callWhenComplete },
    { "inside a handshake's callback", callInsideHandshake },
    { "inside a write's callback", callInsideWrite },
};

// The comment in front of a function of the header, on one line.
std::string commentOf(const std::string &header, const std::string &function)
{
    const auto declaration = header.find(' ' + function + '(');
    CHECK(declaration != std::string::npos);
    const auto start = header.rfind("/**", declaration);
    CHECK(start != std::string::npos);
    std::istringstream words(header.substr(start, declaration - start));
    std::string text;
    for (std::string word; words >> word;) {
        if (word != "*")
            text += word + ' ';
    }
    return text;
}

void checkNames(const std::string &comment, const std::string &function, const std::string &text)
{
    if (comment.find(text) == std::string::npos)
        fail(__FILE__, __LINE__, "the comment of " + function + " does not say: " + text);
}

} // namespace

CASE(e7_each_function_in_each_state_does_what_the_guide_says)
{
    const auto documented = documentedTable();
    CHECK_EQUAL(documented.size(), calls().size());
    const Contexts contexts;
    for (const auto &[function, call] : calls()) {
        CHECK_EQUAL(documented.count(function), 1u);
        const Statuses &expected = documented.at(function);
        CHECK_EQUAL(expected.size(), std::size(states));
        for (std::size_t column = 0; column < std::size(states); ++column) {
            Pair pair(contexts);
            Outputs out {};
            out.error = noError();
            out.parameters.size = sizeof out.parameters;
            out.srtpKeys.size = sizeof out.srtpKeys;
            out.counters.size = sizeof out.counters;
            const auto status = states[column].enterAndCall(pair, out, call);
            if (nameOf(status) != expected[column])
                fail(__FILE__, __LINE__,
                     function + ", " + states[column].name + ": " + nameOf(status) + ", documented "
                         + expected[column]);
        }
    }
}

CASE(e7_each_comment_names_the_statuses_of_the_guide)
{
    const std::string header = contentOf(headerPath());
    for (const auto &[function, statuses] : documentedTable()) {
        const std::string comment = commentOf(header, function);
        bool everywhere = true;
        for (const std::string &status : statuses) {
            if (status != "OK")
                checkNames(comment, function, "QDTLS_STATUS_" + status);
            everywhere = everywhere && status == "OK";
        }
        if (everywhere)
            checkNames(comment, function, "Allowed in every state");
    }
}

CASE(e7_shutdown_succeeds_when_its_close_notify_cannot_be_sent)
{
    Pair pair;
    pair.connect();
    pair.client.onSend = [](const Bytes &) { return QDTLS_SEND_RESULT_FAILED; };
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_NOT_STARTED);
}
