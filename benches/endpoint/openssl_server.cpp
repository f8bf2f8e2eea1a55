// SPDX-License-Identifier: MIT OR Apache-2.0
//
// OpenSSL alone, as fast as it was possible to write it: one SSL_CTX, an SSL for each peer, which
// are found by address; a BIO that lends the datagram received and collects those sent;
// DTLSv1_listen(3) on one spare SSL.
#include "datagrams.h"
#include "openssl_cookie.h"
#include "servers.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace bench {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto timerTick = std::chrono::milliseconds(100);
constexpr auto longestHandshake = std::chrono::seconds(60);
constexpr long headersOfIpAndUdp = 28, linkMtu = 1500;

struct Peer {
    explicit Peer(SSL_CTX *context, Datagrams &all);
    ~Peer() { SSL_free(ssl); }

    sockaddr_in address {};
    Datagrams &datagrams;
    Datagram lent {};
    bool peeks = false;
    Clock::time_point began {};
    SSL *const ssl;
};

int readDatagram(BIO *bio, char *buffer, int capacity)
{
    auto &peer = *static_cast<Peer *>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (peer.lent.length == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const int length = std::min(capacity, int(peer.lent.length));
    std::memcpy(buffer, peer.lent.bytes, std::size_t(length));
    if (!peer.peeks)
        peer.lent.length = 0;
    return length;
}

int writeDatagram(BIO *bio, const char *bytes, int length)
{
    auto &peer = *static_cast<Peer *>(BIO_get_data(bio));
    peer.datagrams.send(peer.address, bytes, std::size_t(length));
    return length;
}

long control(BIO *bio, int command, long number, void *)
{
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return headersOfIpAndUdp;
    case BIO_CTRL_DGRAM_SET_PEEK_MODE:
        static_cast<Peer *>(BIO_get_data(bio))->peeks = number != 0;
        return 1;
    default:
        return 0;
    }
}

BIO *newBio(Peer *peer)
{
    static BIO_METHOD *const method = [] {
        BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
        BIO_meth_set_read(made, readDatagram);
        BIO_meth_set_write(made, writeDatagram);
        BIO_meth_set_ctrl(made, control);
        return made;
    }();
    BIO *bio = BIO_new(method);
    BIO_set_data(bio, peer);
    BIO_set_init(bio, 1);
    return bio;
}

Peer::Peer(SSL_CTX *context, Datagrams &all)
    : datagrams(all)
    , ssl(SSL_new(context))
{
    SSL_set_app_data(ssl, &address);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(ssl, linkMtu);
    BIO *bio = newBio(this);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
}

class Server {
public:
    Server(int socket, SSL_CTX *ofAll)
        : context(ofAll)
        , datagrams(socket)
    {
    }

    // Reads until nothing waits, and retransmits.
    void work();
    int msToTimer() const { return handshaking.empty() ? -1 : int(timerTick.count()); }

private:
    static std::uint64_t key(const sockaddr_in &address)
    {
        return std::uint64_t(address.sin_addr.s_addr) << 16 | address.sin_port;
    }
    void receive(const sockaddr_in &from, Datagram datagram);
    void greet(const sockaddr_in &from, Datagram datagram);
    void advance(Peer &peer);
    void echo(Peer &peer);
    void forget(Peer &peer);
    void handleTimers();

    SSL_CTX *const context;
    Datagrams datagrams;
    std::unique_ptr<Peer> listening;
    std::unordered_map<std::uint64_t, std::unique_ptr<Peer>> peers;
    std::unordered_set<Peer *> handshaking;
    Clock::time_point nextTick {};
};

void Server::work()
{
    std::size_t count = batchSize;
    while (count == batchSize) {
        count = datagrams.receive();
        for (std::size_t i = 0; i < count; ++i)
            receive(datagrams.sender(i), datagrams.datagram(i));
        datagrams.flush();
    }
    if (!handshaking.empty())
        handleTimers();
}

void Server::receive(const sockaddr_in &from, Datagram datagram)
{
    const auto known = peers.find(key(from));
    if (known == peers.end())
        return greet(from, datagram);
    Peer &peer = *known->second;
    peer.lent = datagram;
    if (SSL_is_init_finished(peer.ssl))
        echo(peer);
    else
        advance(peer);
}

void Server::greet(const sockaddr_in &from, Datagram datagram)
{
    if (!listening)
        listening = std::make_unique<Peer>(context, datagrams);
    listening->address = from;
    listening->lent = datagram;
    static BIO_ADDR *const unused = BIO_ADDR_new();
    if (DTLSv1_listen(listening->ssl, unused) != 1)
        return;
    listening->began = Clock::now();
    Peer &peer = *(peers[key(from)] = std::move(listening));
    handshaking.insert(&peer);
    // DTLSv1_listen() has only peeked at it.
    peer.lent = datagram;
    advance(peer);
}

void Server::advance(Peer &peer)
{
    const int result = SSL_do_handshake(peer.ssl);
    if (result == 1)
        handshaking.erase(&peer);
    else if (SSL_get_error(peer.ssl, result) != SSL_ERROR_WANT_READ)
        forget(peer);
}

void Server::echo(Peer &peer)
{
    std::uint8_t message[1 << 14];
    do {
        const int length = SSL_read(peer.ssl, message, sizeof message);
        if (length > 0)
            SSL_write(peer.ssl, message, length);
        else if (SSL_get_error(peer.ssl, length) != SSL_ERROR_WANT_READ) {
            SSL_shutdown(peer.ssl);
            return forget(peer);
        }
    } while (SSL_has_pending(peer.ssl));
}

void Server::forget(Peer &peer)
{
    ERR_clear_error();
    handshaking.erase(&peer);
    peers.erase(key(peer.address));
}

void Server::handleTimers()
{
    const auto now = Clock::now();
    if (now < nextTick)
        return;
    nextTick = now + timerTick;
    const std::unordered_set<Peer *> all = handshaking;
    for (Peer *peer : all) {
        if (DTLSv1_handle_timeout(peer->ssl) < 0 || now - peer->began > longestHandshake)
            forget(*peer);
    }
    datagrams.flush();
}

} // namespace

void serveByOpenssl(int socket, SSL_CTX *context)
{
    useCookies(context);
    Server server(socket, context);
    while (true) {
        pollfd readable { socket, POLLIN, 0 };
        poll(&readable, 1, server.msToTimer());
        server.work();
    }
}

} // namespace bench
