// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The memory of server connections that are kept. Their clients are gone: what a client says in its
// hour is encrypted when it has shaken hands, and waits in a file.
#pragma once

#include "exchange.h"
#include "process_memory.h"
#include "raw_stack.h"
#include "settings.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace bench {

template <typename Stack> class Kept {
    using Datagram = typename Stack::Datagram;
    static constexpr size_t messageSize = 64;
    // Header, nonce and tag of a record.
    static constexpr size_t datagramSize = 13 + 8 + messageSize + 16;

    Stack stack;
    RawStack clients;
    const int messages;
    const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file { std::tmpfile(), std::fclose };
    std::vector<std::unique_ptr<typename Stack::Server>> servers;
    const Datagram answer = Datagram(messageSize, 'a');

public:
    // Each client will say so many messages.
    Kept(const Settings &common, size_t count, int messages)
        : stack(common)
        , clients(common)
        , messages(messages)
    {
        require(bool(file), "a file");
        servers.reserve(count);
    }

    // Shakes hands and answers one message, until there are `count` connections.
    void add(size_t count)
    {
        const std::string question(messageSize, 'q');
        while (servers.size() < count) {
            Exchange<Stack, RawStack> exchange(stack, clients, 1);
            exchange.handshake();
            auto &client = *exchange.clients[0];
            client.write(question);
            receive(*exchange.servers[0], wire().take()->data);
            require(client.read(wire().take()->data) == messageSize, "a read");
            for (int i = 0; i < messages; ++i) {
                client.write(question);
                const std::string sent = wire().take()->data;
                require(std::fwrite(sent.data(), 1, sent.size(), file.get()) == datagramSize,
                        "a write");
            }
            servers.push_back(std::move(exchange.servers[0]));
        }
    }

    // All connections receive their messages in turns and answer each.
    void converse()
    {
        require(std::fflush(file.get()) == 0, "a write");
        wire().setDiscarding(true);
        std::string sent(datagramSize, 0);
        for (int message = 0; message < messages; ++message) {
            for (size_t i = 0; i < servers.size(); ++i) {
                const size_t place = i * size_t(messages) + size_t(message);
                const auto size = pread(fileno(file.get()), sent.data(), datagramSize,
                                        off_t(place * datagramSize));
                require(size == ssize_t(datagramSize), "a message");
                receive(*servers[i], sent);
            }
        }
        wire().setDiscarding(false);
    }

private:
    void receive(typename Stack::Server &server, const std::string &sent)
    {
        require(server.read(Datagram(sent.data(), sent.size())) == messageSize, "a read");
        server.write(answer);
    }
};

template <typename Stack> void memory(const Settings &common)
{
    constexpr size_t warmUp = 200;
    constexpr size_t counted = 10'000;
    constexpr int anHour = 120; // a message each 30 seconds
    Kept<Stack> kept(common, warmUp + counted, anHour);
    kept.add(warmUp);
    const MemoryUse before = MemoryUse::now();
    kept.add(warmUp + counted);
    const MemoryUse then = MemoryUse::now();
    kept.converse();
    const MemoryUse after = MemoryUse::now();
    const auto each = [&](size_t start, size_t end) {
        return (double(end) - double(start)) / counted;
    };
    const double resident = each(before.resident, then.resident);
    const double heap = each(before.heap, then.heap);
    const double residentAfter = each(before.resident, after.resident);
    const double heapAfter = each(before.heap, after.heap);
    report("memory/rss", resident);
    report("memory/heap", heap);
    report("memory/rss-after", residentAfter);
    report("memory/heap-after", heapAfter);
    report("memory/rss-growth", residentAfter / resident);
    report("memory/heap-growth", heapAfter / heap);
}

// Ends the process while it keeps connections, for a tool that lists what is allocated then.
template <typename Stack> void keep(const Settings &common, int count)
{
    Kept<Stack> kept(common, size_t(count), 0);
    kept.add(size_t(count));
    std::_Exit(0);
}

} // namespace bench
