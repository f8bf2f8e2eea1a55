// SPDX-License-Identifier: MIT OR Apache-2.0
// R12: the peer of a connected socket, given to a datagram BIO of OpenSSL.
#include "cases.h"
#include "pair.h"
#include "system_sockets.h"

#include <cstring>

using namespace harness;

namespace {

struct Socket {
    explicit Socket(int family)
        : number(int(socket(family, SOCK_DGRAM, 0)))
        , bio(BIO_new_dgram(number, BIO_CLOSE))
    {
        CHECK(number >= 0);
        CHECK(bio != nullptr);
    }

    // The peer as the BIO knows it; a BIO_ADDR is a union of socket addresses.
    template <typename Address> Address peer() const
    {
        Address address {};
        CHECK_EQUAL(BIO_ctrl(bio.get(), BIO_CTRL_DGRAM_GET_PEER, sizeof address, &address),
                    long(sizeof address));
        return address;
    }

    int number;
    BioPtr bio;
};

template <typename Address>
qdtls_status connectTo(BIO *bio, const Address &address, std::size_t length = sizeof(Address))
{
    return qdtls_bio_set_connected(bio, reinterpret_cast<const std::uint8_t *>(&address), length);
}

sockaddr_in addressV4(const char *text = "127.0.0.1", std::uint16_t port = 5684)
{
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    CHECK_EQUAL(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return address;
}

sockaddr_in6 addressV6(const char *text)
{
    sockaddr_in6 address {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(5684);
    address.sin6_scope_id = 3;
    CHECK_EQUAL(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    return address;
}

} // namespace

CASE(r12_ipv4_is_set)
{
    const Socket socket(AF_INET);
    const sockaddr_in address = addressV4();
    CHECK_EQUAL(connectTo(socket.bio.get(), address), QDTLS_STATUS_OK);
    const auto peer = socket.peer<sockaddr_in>();
    CHECK_EQUAL(peer.sin_family, AF_INET);
    CHECK_EQUAL(peer.sin_port, address.sin_port);
    CHECK_EQUAL(peer.sin_addr.s_addr, address.sin_addr.s_addr);
}

CASE(r12_ipv6_is_set_with_its_scope)
{
    const Socket socket(AF_INET6);
    const sockaddr_in6 address = addressV6("fe80::1");
    CHECK_EQUAL(connectTo(socket.bio.get(), address), QDTLS_STATUS_OK);
    const auto peer = socket.peer<sockaddr_in6>();
    CHECK_EQUAL(peer.sin6_family, AF_INET6);
    CHECK_EQUAL(peer.sin6_port, address.sin6_port);
    CHECK_EQUAL(peer.sin6_scope_id, 3u);
    CHECK_EQUAL(std::memcmp(&peer.sin6_addr, &address.sin6_addr, sizeof(in6_addr)), 0);
}

CASE(r12_addresses_are_checked)
{
    const Socket socket(AF_INET);
    BIO *bio = socket.bio.get();
    const sockaddr_in v4 = addressV4();
    const sockaddr_in6 v6 = addressV6("::1");
    for (std::size_t length = 0; length < sizeof v4; ++length)
        CHECK_EQUAL(connectTo(bio, v4, length), QDTLS_STATUS_INVALID_ADDRESS);
    for (std::size_t length = 0; length < sizeof v6; ++length)
        CHECK_EQUAL(connectTo(bio, v6, length), QDTLS_STATUS_INVALID_ADDRESS);
    for (const char *unusable : { "0.0.0.0", "224.0.0.1", "255.255.255.255" })
        CHECK_EQUAL(connectTo(bio, addressV4(unusable)), QDTLS_STATUS_INVALID_ADDRESS);
    CHECK_EQUAL(connectTo(bio, addressV4("127.0.0.1", 0)), QDTLS_STATUS_INVALID_ADDRESS);
    sockaddr_in unknown = v4;
    unknown.sin_family = AF_UNIX;
    CHECK_EQUAL(connectTo(bio, unknown), QDTLS_STATUS_INVALID_ADDRESS);
    CHECK_EQUAL(socket.peer<sockaddr_in>().sin_port, 0);
}

CASE(r12_other_bios_are_refused)
{
    const BioPtr memory(BIO_new(BIO_s_mem()));
    CHECK_EQUAL(connectTo(memory.get(), addressV4()), QDTLS_STATUS_INIT_FAILED);
    const ContextPtr context = clientContext();
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    endpoint.init(context.get());
    CHECK_EQUAL(connectTo(SSL_get_rbio(endpoint.ssl), addressV4()), QDTLS_STATUS_INVALID_STATE);
}
