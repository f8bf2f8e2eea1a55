// SPDX-License-Identifier: MIT OR Apache-2.0
#include "peer.h"

#include <openssl/err.h>

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace soak {

constexpr std::uint64_t handshakeLimitMs = 10000;
constexpr std::uint64_t echoLimitMs = 1000;
constexpr std::uint64_t longestRestMs = 4000; // the server forgets who is silent for five seconds
constexpr unsigned mostTries = 5;
constexpr std::size_t kept = 8;
constexpr long linkMtu = 1280;

Peer::Peer(SSL_CTX *clients, std::uint16_t serverPort, int epoll, std::uint64_t seed, Counts &all)
    : context(clients)
    , server(serverPort)
    , poll(epoll)
    , random(seed)
    , counts(all)
{
    renewSocket();
}

Peer::~Peer()
{
    close(fd);
}

std::uint64_t Peer::below(std::uint64_t limit)
{
    return random() % limit;
}

// On another port.
void Peer::renewSocket()
{
    if (fd >= 0)
        close(fd);
    fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(server);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    epoll_event event {};
    event.events = EPOLLIN;
    event.data.ptr = this;
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0
        || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) {
        std::perror("a peer's socket");
        std::exit(2);
    }
}

// Keeps what is written, to send it again later.
long Peer::keep(BIO *bio, int operation, const char *data, std::size_t size, int, long, int result,
                std::size_t *)
{
    if (operation == BIO_CB_WRITE) {
        auto &sent = reinterpret_cast<Peer *>(BIO_get_callback_arg(bio))->sent;
        sent.emplace_back(data, size);
        if (sent.size() > kept)
            sent.pop_front();
    }
    return result;
}

void Peer::begin()
{
    ssl.reset(SSL_new(context));
    SSL_set_options(ssl.get(), SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(ssl.get(), linkMtu);
    BIO *const bio = BIO_new_dgram(fd, BIO_NOCLOSE);
    const in_addr_t loopback = htonl(INADDR_LOOPBACK);
    BIO_ADDR *const address = BIO_ADDR_new();
    BIO_ADDR_rawmake(address, AF_INET, &loopback, sizeof loopback, htons(server));
    BIO_ctrl_set_connected(bio, address);
    BIO_ADDR_free(address);
    BIO_set_callback_arg(bio, reinterpret_cast<char *>(this));
    BIO_set_callback_ex(bio, keep);
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_connect_state(ssl.get());
    sent.clear();
    stage = Stage::Connecting;
    due = now;
    connect();
}

void Peer::act(std::uint64_t nowMs)
{
    now = nowMs;
    ERR_clear_error();
    switch (stage) {
    case Stage::Waiting:
        if (due == 0) // they do not all begin at once
            due = now + below(10000);
        if (now >= due)
            begin();
        break;
    case Stage::Connecting:
        connect();
        break;
    case Stage::Talking:
        listen();
        break;
    case Stage::Resting:
        rest();
        break;
    }
}

void Peer::connect()
{
    DTLSv1_handle_timeout(ssl.get());
    const int result = SSL_do_handshake(ssl.get());
    if (result == 1) {
        ++counts.handshakes;
        counts.slowestMs = std::max(counts.slowestMs, now - due);
        messagesLeft = 1 + unsigned(below(8));
        say();
    } else if (SSL_get_error(ssl.get(), result) != SSL_ERROR_WANT_READ) {
        fail(ERR_reason_error_string(ERR_peek_last_error()));
    } else if (now - due > handshakeLimitMs) {
        fail("no end in time");
    }
}

void Peer::fail(const char *what)
{
    ++counts.failures;
    std::fprintf(stderr, "a handshake failed after %llu ms: %s\n",
                 static_cast<unsigned long long>(now - due), what ? what : "without a reason");
    renewSocket();
    pause(1000);
}

void Peer::pause(std::uint64_t ms)
{
    ssl.reset();
    stage = Stage::Waiting;
    due = now + below(ms);
}

void Peer::say()
{
    stage = Stage::Talking;
    tries = 0;
    send();
}

// Again if the echo does not come.
void Peer::send()
{
    const std::string message(1 + below(1000), 'm');
    SSL_write(ssl.get(), message.data(), int(message.size()));
    due = now;
    ++tries;
}

void Peer::listen()
{
    char echo[1 << 14];
    if (SSL_read(ssl.get(), echo, sizeof echo) > 0) {
        ++counts.echoes;
        stage = Stage::Resting;
        due = now + below(longestRestMs);
    } else if (now - due > echoLimitMs) {
        if (tries < mostTries)
            return send();
        ++counts.lost;
        renewSocket();
        pause(1000);
    }
}

// An echo can still come a second time.
void Peer::rest()
{
    char echo[1 << 14];
    while (SSL_read(ssl.get(), echo, sizeof echo) > 0) { }
    if (now < due)
        return;
    if (--messagesLeft == 0)
        return finish();
    misbehave();
    say();
}

void Peer::misbehave()
{
    switch (below(4)) {
    case 0: {
        const std::string &old = sent[below(sent.size())];
        counts.replayed += ::send(fd, old.data(), old.size(), 0) > 0;
        break;
    }
    case 1: {
        std::string junk(13 + below(1200), '\0');
        std::generate(junk.begin(), junk.end(), [this] { return char(random()); });
        // A record that says it is protected, a plaintext alert, a handshake message, or noise.
        const char types[] = { 23, 21, 22, junk[0] };
        junk[0] = types[below(4)];
        junk[1] = char(0xfe);
        junk[2] = char(0xfd);
        junk[3] = 0;
        junk[4] = char(below(2));
        counts.junk += ::send(fd, junk.data(), junk.size(), 0) > 0;
        break;
    }
    default:
        break;
    }
}

void Peer::finish()
{
    switch (below(4)) {
    case 0:
        ++counts.closed;
        SSL_shutdown(ssl.get());
        renewSocket();
        return pause(2000);
    case 1:
        ++counts.vanished;
        renewSocket();
        return pause(2000);
    case 2:
        // The server refuses, for which OpenSSL has no way but to give up.
        ++counts.renegotiated;
        SSL_renegotiate(ssl.get());
        SSL_do_handshake(ssl.get());
        [[fallthrough]];
    default:
        ++counts.restarted;
        return begin();
    }
}

} // namespace soak
