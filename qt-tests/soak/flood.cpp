// SPDX-License-Identifier: MIT OR Apache-2.0
#include "flood.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <thread>

namespace soak {

namespace {

constexpr unsigned ports = 16;
// Where a hello without a session has its random, and the length of its cookie.
constexpr std::size_t randomAt = 27, cookieAt = 60;

std::string firstHello(SSL_CTX *context)
{
    SSL *const ssl = SSL_new(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_connect(ssl);
    std::string hello(1 << 12, '\0');
    const int size = BIO_read(SSL_get_wbio(ssl), hello.data(), int(hello.size()));
    SSL_free(ssl);
    hello.resize(std::size_t(std::max(0, size)));
    return hello;
}

// The same hello with a cookie: the lengths of record, message and fragment grow by it.
std::string withCookie(std::string hello)
{
    constexpr std::size_t size = 32;
    hello.insert(cookieAt + 1, size, 'c');
    hello[cookieAt] = char(size);
    for (const std::size_t low : { 12u, 16u, 24u }) {
        const unsigned length =
            (unsigned(std::uint8_t(hello[low - 1])) << 8 | std::uint8_t(hello[low])) + size;
        hello[low - 1] = char(length >> 8);
        hello[low] = char(length);
    }
    hello[18] = 1; // the second message of its sender
    return hello;
}

} // namespace

std::uint64_t flood(SSL_CTX *context, std::uint16_t server, unsigned perSecond, unsigned seconds)
{
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(server);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::array<int, ports> sockets;
    for (int &fd : sockets) {
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address);
    }
    std::mt19937_64 random(1);
    std::string record(300, 'r');
    record.replace(0, 5, std::string("\x17\xfe\xfd\0\1", 5));
    const std::string hello = firstHello(context);
    std::array<std::string, 4> kinds { hello, withCookie(hello), record, std::string(200, 'x') };
    for (const char byte : { 0, 1 })
        kinds[2][11 + std::size_t(byte)] = char((record.size() - 13) >> (byte ? 0 : 8));

    std::uint64_t sent = 0;
    const auto start = std::chrono::steady_clock::now();
    for (unsigned millisecond = 0; millisecond < seconds * 1000; ++millisecond) {
        for (unsigned i = 0; i < perSecond / 1000; ++i, ++sent) {
            std::string &datagram = kinds[sent % kinds.size()];
            for (std::size_t place = randomAt; place < randomAt + 32; ++place)
                datagram[place] = char(random());
            send(sockets[random() % ports], datagram.data(), datagram.size(), 0);
        }
        std::this_thread::sleep_until(start + std::chrono::milliseconds(millisecond));
    }
    for (const int fd : sockets)
        close(fd);
    return sent;
}

} // namespace soak
