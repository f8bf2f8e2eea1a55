// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>

namespace soak {

// What all peers have done.
struct Counts {
    std::uint64_t handshakes = 0, failures = 0, slowestMs = 0;
    std::uint64_t echoes = 0, lost = 0;
    std::uint64_t closed = 0, vanished = 0, restarted = 0, renegotiated = 0;
    std::uint64_t replayed = 0, junk = 0;
};

// A client on OpenSSL that connects, talks, and then closes, vanishes, or begins again on the same
// port, for as long as it is asked to act. While it is connected it also sends old datagrams and
// junk.
class Peer {
public:
    // `poll` is an epoll(7) instance, which gets the socket with this object.
    Peer(SSL_CTX *context, std::uint16_t server, int poll, std::uint64_t seed, Counts &counts);
    ~Peer();
    Peer(const Peer &) = delete;

    // Goes on with what has come, or with what is due.
    void act(std::uint64_t nowMs);

private:
    enum class Stage { Waiting, Connecting, Talking, Resting };

    std::uint64_t below(std::uint64_t limit);
    void renewSocket();
    void begin();
    void connect();
    void fail(const char *what);
    void say();
    void send();
    void listen();
    void rest();
    void misbehave();
    void finish();
    void pause(std::uint64_t ms);
    static long keep(BIO *bio, int operation, const char *data, std::size_t size, int, long,
                     int result, std::size_t *);

    SSL_CTX *const context;
    const std::uint16_t server;
    const int poll;
    std::mt19937_64 random;
    Counts &counts;
    int fd = -1;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl { nullptr, SSL_free };
    std::deque<std::string> sent; // the last datagrams
    Stage stage = Stage::Waiting;
    std::uint64_t now = 0;
    // Waiting and resting: the end; connecting: the beginning; talking: when a message was last
    // sent.
    std::uint64_t due = 0;
    unsigned messagesLeft = 0;
    unsigned tries = 0;
};

} // namespace soak
