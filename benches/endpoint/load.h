// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Clients, each with OpenSSL's own SSL and a connected socket, so that each has an address. At any
// time a bounded number of datagrams waits for answers.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <functional>
#include <vector>

namespace bench {

class Load {
public:
    explicit Load(const sockaddr_in &server);
    ~Load();

    // One handshake of each client that is missing to the number, messages and their echoes, and
    // the exchange of close_notify.
    void connect(std::size_t number);
    // Each client sends so many at once, and waits for the echoes.
    void echo(std::size_t messages);
    void close();

private:
    struct Client {
        int socket;
        SSL *ssl;
        bool busy = false; // not done with its step
        std::size_t missing = 0; // echoes
    };
    // Returns whether all is done.
    using Step = std::function<bool(Client &)>;

    void add();
    bool isDoneBy(const Step &step, Client &client);
    void run(const Step &start, const Step &receive, std::size_t mostAtOnce, std::size_t first = 0);

    const sockaddr_in server;
    SSL_CTX *const context;
    const int readable; // epoll
    std::vector<Client> clients;
};

} // namespace bench
