// SPDX-License-Identifier: MIT OR Apache-2.0
// Cookie parameters, cookies, and their rotation.
#include "cases.h"
#include "memory.h"
#include "pair.h"
#include "wire.h"

using namespace harness;

namespace {

constexpr std::uint64_t now = 1700000000000;
constexpr std::uint64_t lifetime = 600 * 1000;
constexpr std::int32_t sha1 = 2;
constexpr std::int32_t sha256 = 4;

struct Parameters {
    std::int32_t hash = -1;
    Bytes secret;
};

Parameters parametersOf(const Cookie &cookie)
{
    Parameters parameters { -1, Bytes(64) };
    std::size_t length = 0;
    CHECK_EQUAL(qdtls_cookie_secret_length(cookie.handle, &length), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_cookie_parameters(cookie.handle, &parameters.hash, parameters.secret.data(),
                                        parameters.secret.size(), &length),
                QDTLS_STATUS_OK);
    parameters.secret.resize(length);
    return parameters;
}

qdtls_status setParameters(Cookie &cookie, std::int32_t hash, const Bytes &secret)
{
    return qdtls_cookie_set_parameters(cookie.handle, hash, secret.data(), secret.size());
}

// A ClientHello with this cookie, as a client would send it.
Bytes hello(const Bytes &cookie = {}, std::uint8_t random = 7)
{
    Bytes body { 0xfe, 0xfd };
    body.insert(body.end(), 32, random);
    body.push_back(0);
    body.push_back(static_cast<std::uint8_t>(cookie.size()));
    body.insert(body.end(), cookie.begin(), cookie.end());
    const Bytes rest { 0, 2, 0xc0, 0x2b, 1, 0 };
    body.insert(body.end(), rest.begin(), rest.end());

    return recordOf(22, 0, message(1, cookie.empty() ? 0 : 1, body));
}

Bytes generate(const Cookie &cookie, const qdtls_address &address, std::uint64_t at = now)
{
    Bytes made(32);
    std::size_t length = 0;
    const Bytes first = hello();
    CHECK_EQUAL(qdtls_cookie_generate(cookie.handle, &address, first.data(), first.size(), at,
                                      made.data(), made.size(), &length),
                QDTLS_STATUS_OK);
    CHECK(length >= 16 && length <= 32);
    made.resize(length);
    return made;
}

bool verify(const Cookie &cookie, const qdtls_address &address, const Bytes &shown,
            std::uint64_t at = now)
{
    bool valid = false;
    CHECK_EQUAL(
        qdtls_cookie_verify(cookie.handle, &address, shown.data(), shown.size(), at, &valid),
        QDTLS_STATUS_OK);
    return valid;
}

} // namespace

CASE(cookie_parameters_are_kept)
{
    Cookie cookie;
    const Bytes secret = bytesOf("a secret of the user's");
    CHECK_EQUAL(setParameters(cookie, sha1, secret), QDTLS_STATUS_OK);
    const Parameters kept = parametersOf(cookie);
    CHECK_EQUAL(kept.hash, sha1);
    CHECK(kept.secret == secret);
}

CASE(s15_wrong_parameters_change_nothing)
{
    Cookie cookie;
    const Bytes secret = bytesOf("a secret of the user's");
    CHECK_EQUAL(setParameters(cookie, sha1, secret), QDTLS_STATUS_OK);
    CHECK_EQUAL(setParameters(cookie, sha256, {}), QDTLS_STATUS_INVALID_ARGUMENT);
    for (const int hash : { -1, int(QDTLS_HASH_KECCAK256), QDTLS_HASH_BLAKE2S256 + 1 })
        CHECK_EQUAL(setParameters(cookie, hash, secret), QDTLS_STATUS_UNSUPPORTED_HASH);
    CHECK_EQUAL(parametersOf(cookie).hash, sha1);
}

CASE(cookie_buffers_have_bounds)
{
    Cookie cookie;
    std::int32_t hash = 77;
    std::uint8_t byte = 7;
    std::size_t length = 77;
    CHECK_EQUAL(qdtls_cookie_parameters(cookie.handle, &hash, &byte, 1, &length),
                QDTLS_STATUS_BUFFER_TOO_SMALL);
    const qdtls_address address = ipv4();
    const Bytes first = hello();
    CHECK_EQUAL(qdtls_cookie_generate(cookie.handle, &address, first.data(), first.size(), now,
                                      &byte, 1, &length),
                QDTLS_STATUS_BUFFER_TOO_SMALL);
    CHECK_EQUAL(hash, 77);
    CHECK_EQUAL(int(byte), 7);
    CHECK_EQUAL(length, 77u);
}

CASE(r1_the_process_secret_is_never_shown_but_its_stand_in_works)
{
    Cookie own;
    const Parameters standIn = parametersOf(own);
    CHECK_EQUAL(standIn.hash, sha256);
    CHECK_EQUAL(standIn.secret.size(), 32u);
    Cookie other;
    CHECK_EQUAL(setParameters(other, standIn.hash, standIn.secret), QDTLS_STATUS_OK);
    const Bytes made = generate(own, ipv4());
    CHECK(verify(other, ipv4(), hello(made)));
    CHECK_EQUAL(qdtls_cookie_rotate(), QDTLS_STATUS_OK);
    CHECK(verify(other, ipv4(), hello(made)));
}

CASE(s15_cookies_are_bound_and_expire)
{
    Cookie cookie;
    CHECK_EQUAL(setParameters(cookie, sha256, bytesOf("a secret")), QDTLS_STATUS_OK);
    const Bytes made = generate(cookie, ipv4());
    CHECK(verify(cookie, ipv4(), hello(made)));
    CHECK(!verify(cookie, ipv4(5685), hello(made)));
    CHECK(!verify(cookie, ipv6(), hello(made)));
    CHECK(!verify(cookie, ipv4(), hello(made, 8)));
    CHECK(!verify(cookie, ipv4(), hello()));
    CHECK(verify(cookie, ipv4(), hello(made), now + lifetime));
    CHECK(!verify(cookie, ipv4(), hello(made), now + lifetime + 1));
    Cookie other;
    CHECK_EQUAL(setParameters(other, sha256, bytesOf("another secret")), QDTLS_STATUS_OK);
    CHECK(!verify(other, ipv4(), hello(made)));
}

CASE(s28_an_ipv4_mapped_address_is_the_ipv4_address)
{
    Cookie cookie;
    const qdtls_address mapped {
        6, 0, 5684, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1 }
    };
    CHECK(verify(cookie, mapped, hello(generate(cookie, ipv4()))));
    CHECK(!verify(cookie, linkLocal(4), hello(generate(cookie, linkLocal(3)))));
}

CASE(r9_rotation_keeps_the_cookies_made_before)
{
    Cookie cookie;
    const Bytes made = generate(cookie, ipv4());
    for (int rotation = 0; rotation < 3; ++rotation)
        CHECK_EQUAL(qdtls_cookie_rotate(), QDTLS_STATUS_OK);
    CHECK(verify(cookie, ipv4(), hello(made)));
    CHECK(verify(cookie, ipv4(), hello(generate(cookie, ipv4(), now + 60000)), now + 60000));
}

// One handle's clock counts from boot, another's from 1970.
CASE(a11_handles_whose_clocks_disagree_keep_one_secret)
{
    Cookie cookie;
    const Bytes made = generate(cookie, ipv4());
    for (std::uint64_t hour = 0; hour < 40; ++hour) {
        const std::uint64_t sinceBoot = (100 + hour * 3600) * 1000;
        const Bytes other = generate(cookie, ipv4(), sinceBoot);
        CHECK(verify(cookie, ipv4(), hello(other), sinceBoot));
        CHECK(verify(cookie, ipv4(), hello(made)));
    }
}

CASE(a18_after_a_leak_no_cookie_made_before_is_valid)
{
    Cookie cookie;
    const Bytes first = generate(cookie, ipv4());
    CHECK_EQUAL(qdtls_cookie_rotate(), QDTLS_STATUS_OK);
    const Bytes second = generate(cookie, ipv4());
    CHECK(first != second);
    CHECK(verify(cookie, ipv4(), hello(first)));
    CHECK_EQUAL(qdtls_cookie_revoke(), QDTLS_STATUS_OK);
    CHECK(!verify(cookie, ipv4(), hello(first)));
    CHECK(!verify(cookie, ipv4(), hello(second)));
    CHECK(verify(cookie, ipv4(), hello(generate(cookie, ipv4()))));
    Cookie users;
    CHECK_EQUAL(setParameters(users, sha256, bytesOf("a secret")), QDTLS_STATUS_OK);
    const Bytes made = generate(users, ipv4());
    CHECK_EQUAL(qdtls_cookie_revoke(), QDTLS_STATUS_OK);
    CHECK(verify(users, ipv4(), hello(made)));
}

CASE(a14_a_lack_of_memory_is_no_unsupported_hash)
{
    constexpr std::int32_t sha3 = 12;
    Cookie cookie;
    CHECK_EQUAL(setParameters(cookie, sha3, bytesOf("one")), QDTLS_STATUS_OK);
    {
        const NoMemory none;
        CHECK_EQUAL(setParameters(cookie, sha3, bytesOf("two")), QDTLS_STATUS_INIT_FAILED);
    }
    CHECK(parametersOf(cookie).secret == bytesOf("one"));
    CHECK_EQUAL(setParameters(cookie, sha3, bytesOf("two")), QDTLS_STATUS_OK);
    CHECK_EQUAL(setParameters(cookie, QDTLS_HASH_KECCAK256, bytesOf("three")),
                QDTLS_STATUS_UNSUPPORTED_HASH);
}

CASE(r9_rotation_during_a_cookie_exchange_is_not_noticed)
{
    Pair pair;
    const Bytes verified = pair.verifiedHello();
    CHECK_EQUAL(qdtls_cookie_rotate(), QDTLS_STATUS_OK);
    CHECK(pair.listener.verify(verified));
    CHECK_EQUAL(pair.server.start(verified), QDTLS_STATUS_OK);
    pair.deliver();
    pair.checkMessages();
}

CASE(a_listener_and_a_connection_share_a_madesecret)
{
    Cookie cookie;
    CHECK_EQUAL(setParameters(cookie, sha256, bytesOf("a secret")), QDTLS_STATUS_OK);
    Pair pair;
    CHECK_EQUAL(qdtls_listener_set_cookie(pair.listener.handle, cookie.handle), QDTLS_STATUS_OK);
    const Bytes verified = pair.verifiedHello();
    CHECK_EQUAL(pair.server.start(verified), QDTLS_STATUS_COOKIE_REJECTED);
    CHECK_EQUAL(qdtls_connection_set_cookie(pair.server.handle, cookie.handle), QDTLS_STATUS_OK);
    pair.server.init(pair.serverTls.get());
    CHECK_EQUAL(pair.server.start(verified), QDTLS_STATUS_OK);
    pair.deliver();
    pair.checkMessages();
}

// The listener accepts a cookie in the last moment of its time; the connection starts later.
CASE(a23_a_verified_hello_is_not_refused_by_start)
{
    Pair pair;
    const Bytes hello = pair.verifiedHello();
    pair.listener.now += lifetime - 1;
    CHECK(pair.listener.verify(hello));
    pair.server.now = pair.listener.now += 1000;
    CHECK(!pair.listener.verify(hello));
    pair.listener.outbox.clear();
    CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
    pair.deliver();
    pair.checkMessages();
}
