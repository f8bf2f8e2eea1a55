// SPDX-License-Identifier: MIT OR Apache-2.0
#include "load.h"

#include "servers.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace bench {

namespace {

constexpr std::size_t mostWaiting = 64;
constexpr std::size_t messageLength = 64;
constexpr int longestWaitMs = 10000;

const sockaddr *generic(const sockaddr_in &address)
{
    return reinterpret_cast<const sockaddr *>(&address);
}

} // namespace

Load::Load(const sockaddr_in &of)
    : server(of)
    , context(SSL_CTX_new(DTLS_client_method()))
    , readable(epoll_create1(0))
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

Load::~Load()
{
    SSL_CTX_free(context);
    ::close(readable);
}

void Load::add()
{
    Client client { ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), SSL_new(context) };
    require(::connect(client.socket, generic(server), sizeof server) == 0, "a client's socket");
    epoll_event event {};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = clients.size();
    require(epoll_ctl(readable, EPOLL_CTL_ADD, client.socket, &event) == 0, "epoll_ctl");
    BIO *bio = BIO_new_dgram(client.socket, BIO_NOCLOSE);
    sockaddr_in peer = server;
    BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
    SSL_set_bio(client.ssl, bio, bio);
    SSL_set_connect_state(client.ssl);
    clients.push_back(client);
}

// Returns whether the client is done by this step.
bool Load::isDoneBy(const Step &step, Client &client)
{
    const bool wasBusy = client.busy;
    client.busy = wasBusy && !step(client);
    return wasBusy && !client.busy;
}

// Starts clients in turn from the first one on, as many at a time as may be, until each is done.
void Load::run(const Step &start, const Step &receive, std::size_t mostAtOnce, std::size_t first)
{
    std::size_t started = first, done = first;
    while (done < clients.size()) {
        for (; started < clients.size() && started - done < mostAtOnce; ++started) {
            clients[started].busy = true;
            done += isDoneBy(start, clients[started]);
        }
        if (done == clients.size())
            return;
        std::array<epoll_event, mostWaiting> events;
        const int count = epoll_wait(readable, events.data(), int(events.size()), longestWaitMs);
        require(count > 0, "the server answers");
        for (int i = 0; i < count; ++i)
            done += isDoneBy(receive, clients[events[std::size_t(i)].data.u64]);
    }
}

void Load::connect(std::size_t number)
{
    const std::size_t before = clients.size();
    while (clients.size() < number)
        add();
    const auto advance = [](Client &client) {
        ERR_clear_error();
        const int result = SSL_do_handshake(client.ssl);
        const bool good = result == 1 || SSL_get_error(client.ssl, result) == SSL_ERROR_WANT_READ;
        require(good, "a handshake");
        return result == 1;
    };
    run(advance, advance, mostWaiting, before);
}

void Load::echo(std::size_t messages)
{
    static const std::array<char, messageLength> message {};
    const auto send = [&](Client &client) {
        client.missing = messages;
        for (std::size_t i = 0; i < messages; ++i)
            require(SSL_write(client.ssl, message.data(), messageLength) > 0, "a message");
        return false;
    };
    const auto receive = [](Client &client) {
        std::array<char, messageLength> echoed;
        while (client.missing > 0 && SSL_read(client.ssl, echoed.data(), messageLength) > 0)
            --client.missing;
        return client.missing == 0;
    };
    run(send, receive, mostWaiting / messages);
}

void Load::close()
{
    const auto start = [](Client &client) { return SSL_shutdown(client.ssl), false; };
    const auto receive = [](Client &client) {
        char unexpected = 0;
        while (SSL_read(client.ssl, &unexpected, 1) > 0) { }
        return (SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    };
    run(start, receive, mostWaiting);
    for (const Client &client : clients) {
        SSL_free(client.ssl);
        ::close(client.socket);
    }
    clients.clear();
}

} // namespace bench
