// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The measurements, for any stack. Each operation runs once before: the work that a process does
// only once does not count.
#pragma once

#include "exchange.h"
#include "memory.h"
#include "raw_stack.h"
#include "settings.h"
#include "threads.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <valgrind/callgrind.h>

namespace bench {

struct Scenario {
    const char *name;
    Credentials credentials;
    bool systemCas;
    bool resumption;
    // There is no other connection, and each connection's configuration is made for it.
    bool alone;
};

constexpr Scenario scenarios[] = {
    { "rsa", Credentials::Rsa, false, false, false },
    { "rsa-cas", Credentials::Rsa, true, false, false },
    { "ecdsa", Credentials::Ecdsa, false, false, false },
    { "ecdsa-cas", Credentials::Ecdsa, true, false, false },
    { "rsa-alone", Credentials::Rsa, false, false, true },
    { "ecdsa-alone", Credentials::Ecdsa, false, false, true },
    { "ecdsa-cas-alone", Credentials::Ecdsa, true, false, true },
    { "psk", Credentials::Psk, false, false, false },
    { "resumed", Credentials::Ecdsa, false, true, false },
};

// Without certificates a handshake takes a fraction of the time.
inline bool isShort(const Scenario &scenario)
{
    return scenario.resumption || scenario.credentials == Credentials::Psk;
}

inline Settings settingsOf(const Scenario &scenario, const Settings &common)
{
    return { common.folder, scenario.credentials, scenario.systemCas, scenario.resumption,
             scenario.alone };
}

// Client and server of one stack: from making the objects of both to destroying them.
template <typename Stack> void handshakes(const Settings &common, int effort)
{
    for (const Scenario &scenario : scenarios) {
        const std::string name = std::string("handshake/") + scenario.name;
        Stack stack(settingsOf(scenario, common));
        // A server in use has other connections, and so may a client. They share some objects.
        Exchange<Stack, Stack> other(stack, stack, 1);
        if (!scenario.alone)
            other.handshake();
        std::string cipher;
        bool certificate = false;
        size_t datagrams = 0;
        const auto handshake = [&] {
            const size_t before = wire().sent();
            Exchange<Stack, Stack> exchange(stack, stack, 1);
            exchange.handshake();
            datagrams = wire().sent() - before;
            cipher = exchange.clients[0]->cipher();
            certificate = exchange.sawCertificate();
        };
        for (int i = 0; i < 5; ++i)
            handshake();
        report(name, measure(isShort(scenario) ? 5 * effort : effort, 1, handshake));
        reportFact(name + "/cipher", cipher);
        reportFact(name + "/datagrams", std::to_string(datagrams));
        reportFact(name + "/certificate", certificate ? "sent" : "not sent");
    }
}

// Nanoseconds of the server for one handshake, with the destruction of its connection. The clients
// are OpenSSL's for all, and their handshakes run at the same time.
template <typename Stack>
double timeOfServer(Stack &stack, RawStack &clients, int peers, int batches)
{
    std::vector<double> times;
    for (int batch = 0; batch < batches; ++batch) {
        Exchange<Stack, RawStack> exchange(stack, clients, size_t(peers));
        ServerClock clock;
        exchange.handshake(clock);
        clock.measure([&] { exchange.servers.clear(); });
        times.push_back(clock.nanoseconds() / peers);
    }
    return undisturbed(times);
}

template <typename Stack> void server(const Settings &common, int effort)
{
    Stack stack(common);
    RawStack clients(common);
    Exchange<Stack, RawStack> other(stack, clients, 1);
    other.handshake();
    for (const int peers : { 1, 100, 1000 }) {
        const int batches = peers == 1000 ? 2 : 3 * effort / peers + 1;
        if (batches > 1)
            timeOfServer(stack, clients, peers, 1); // warms up
        report("server/" + std::to_string(peers), timeOfServer(stack, clients, peers, batches));
    }
}

// What more peers cost: the time with 10,000 and with one, in one process.
template <typename Stack> void manyPeers(const Settings &common, int effort)
{
    Stack stack(common);
    RawStack clients(common);
    Exchange<Stack, RawStack> other(stack, clients, 1);
    other.handshake();
    timeOfServer(stack, clients, 1, effort); // warms up
    const double few = timeOfServer(stack, clients, 1, 10 * effort);
    const double many = timeOfServer(stack, clients, 10'000, 1);
    report("many/10000", many);
    report("many/slope", many / few);
}

// A server's handshakes with one peer, for callgrind to collect.
template <typename Stack> void profileServer(const Settings &common, int effort)
{
    Stack stack(common);
    RawStack clients(common);
    Exchange<Stack, RawStack> other(stack, clients, 1);
    other.handshake();
    timeOfServer(stack, clients, 1, 2); // warms up
    for (int i = 0; i < effort; ++i) {
        Exchange<Stack, RawStack> exchange(stack, clients, 1);
        ServerClock clock(true);
        exchange.handshake(clock);
        clock.measure([&] { exchange.servers.clear(); });
    }
}

// Messages at different offsets in their pages of memory. A processor is slower where what it reads
// and what it writes have the same offset, so that with one message chance would decide.
template <typename Datagram> class MessagesApart {
public:
    explicit MessagesApart(int size)
    {
        for (size_t i = 0; i < count; ++i) {
            between.push_back(std::make_unique<char[]>(spacing));
            messages.push_back(Datagram(size, 'm'));
        }
    }

    const Datagram &operator[](size_t i) const { return messages[i % count]; }

private:
    static constexpr size_t count = 20, spacing = 200;
    std::vector<std::unique_ptr<char[]>> between;
    std::vector<Datagram> messages;
};

// One message of the client, encrypted and sent, or received and decrypted.
template <typename Stack> void data(const Settings &common, int effort)
{
    using Datagram = typename Stack::Datagram;
    constexpr int batch = 20, parts = 20;
    const auto append = [](std::vector<double> &times, const std::vector<double> &more) {
        times.insert(times.end(), more.begin(), more.end());
    };
    Stack stack(common);
    Exchange<Stack, Stack> exchange(stack, stack, 1);
    exchange.handshake();
    for (const int size : { 64, 1024, 8192 }) {
        const MessagesApart<Datagram> messages(size);
        size_t written = 0, wrong = 0;
        const auto write = [&] { exchange.clients[0]->write(messages[written++]); };
        std::vector<double> writes, reads;
        // In parts, so that there is memory for the datagrams.
        for (int part = 0; part < parts; ++part) {
            wire().setDiscarding(true);
            measure(1, batch, write);
            append(writes, timesOf(effort, batch, write));
            wire().setDiscarding(false);

            std::vector<Datagram> datagrams;
            for (int i = 0; i < batch * (effort + 1); ++i) {
                write();
                const std::string sent = wire().take()->data;
                datagrams.push_back(Datagram(sent.data(), sent.size()));
            }
            size_t next = 0;
            const auto read = [&] {
                wrong += exchange.servers[0]->read(datagrams[next++]) != size_t(size);
            };
            measure(1, batch, read);
            append(reads, timesOf(effort, batch, read));
        }
        require(wrong == 0, "a read");
        report("write/" + std::to_string(size), undisturbed(writes));
        report("decrypt/" + std::to_string(size), undisturbed(reads));
    }
}

// A verifier that is sent the same datagram again and again.
template <typename Stack> void verify(const Settings &common, int effort)
{
    using Datagram = typename Stack::Datagram;
    constexpr int batch = 50;
    constexpr uint16_t port = 10'000;
    constexpr size_t cookieOfRequest = 13 + 12 + 2 + 1; // behind its headers, version and length
    Stack stack(common);
    RawStack clients(common);
    wire().clientSpeaks(port);
    RawStack::Client client(clients, port);
    client.start();
    const std::string hello = wire().take()->data;

    wire().serverSpeaks(port);
    require(!stack.verify(Datagram(hello.data(), hello.size()), port), "refusal without a cookie");
    std::string request = wire().take()->data;
    wire().clientSpeaks(port);
    client.receive(request);
    const std::string right = wire().take()->data;
    std::string wrong = right;
    const std::string cookie = request.substr(cookieOfRequest);
    char &first = wrong[wrong.find(cookie) + cookie.size() - 1];
    first = char(first ^ 1);

    wire().serverSpeaks(port);
    wire().setDiscarding(true);
    const auto measureOne = [&](const char *name, const std::string &bytes, bool verified) {
        const Datagram datagram(bytes.data(), bytes.size());
        int mistakes = 0;
        const auto operation = [&] { mistakes += stack.verify(datagram, port) != verified; };
        measure(1, batch, operation);
        report(std::string("verify/") + name, measure(effort, batch, operation));
        require(mistakes == 0, name);
    };
    measureOne("no-cookie", hello, false);
    measureOne("wrong-cookie", wrong, false);
    measureOne("right-cookie", right, true);
    measureOne("junk", std::string(200, 'x'), false);
    wire().setDiscarding(false);
}

// Handshakes as handshakes() does them, for callgrind to collect.
template <typename Stack> void profile(const Scenario &scenario, const Settings &common, int effort)
{
    const Settings settings = settingsOf(scenario, common);
    // Certificates and keys are loaded more than once in the life of a process.
    Stack earlier(settings);
    if (scenario.alone)
        Exchange<Stack, Stack>(earlier, earlier, 1).handshake();
    Stack stack(settings);
    Exchange<Stack, Stack> other(stack, stack, 1);
    if (!scenario.alone)
        other.handshake();
    // The first one gets the ticket that the others use.
    for (int i = -2; i < effort; ++i) {
        if (i == 0)
            CALLGRIND_TOGGLE_COLLECT;
        Exchange<Stack, Stack> exchange(stack, stack, 1);
        exchange.handshake();
    }
    CALLGRIND_TOGGLE_COLLECT;
}

template <typename Stack> void profile(const std::string &name, const Settings &common, int effort)
{
    const auto scenario =
        std::find_if(std::begin(scenarios), std::end(scenarios),
                     [&](const Scenario &scenario) { return scenario.name == name; });
    require(scenario != std::end(scenarios), "no such scenario");
    profile<Stack>(*scenario, common, effort);
}

// GROUP FOLDER EFFORT [turns], where the effort is a number of repetitions, or for `kept` of
// connections. `profile-` is followed by the name of a scenario, or by `server`.
template <typename Stack> int run(const std::vector<std::string> &arguments)
{
    const bool inTurns = arguments.size() == 4 && arguments[3] == "turns";
    if (arguments.size() != 3 && !inTurns) {
        std::fputs("usage: GROUP FOLDER EFFORT [turns]\n", stderr);
        return 2;
    }
    if (inTurns)
        waitForFirstTurn();
    const std::string &group = arguments[0];
    const Settings common { arguments[1] };
    const int effort = std::max(1, std::atoi(arguments[2].c_str()));
    if (group == "handshakes")
        handshakes<Stack>(common, effort);
    else if (group == "server")
        server<Stack>(common, effort);
    else if (group == "many")
        manyPeers<Stack>(common, effort);
    else if (group == "memory")
        memory<Stack>(common);
    else if (group == "threads")
        threads<Stack>(common, effort);
    else if (group == "kept")
        keep<Stack>(common, effort);
    else if (group == "data")
        data<Stack>(common, effort);
    else if (group == "verify")
        verify<Stack>(common, effort);
    else if (group == "profile-server")
        profileServer<Stack>(common, effort);
    else if (group.rfind("profile-", 0) == 0)
        profile<Stack>(group.substr(8), common, effort);
    else
        require(false, "no such group");
    return 0;
}

} // namespace bench
