// SPDX-License-Identifier: MIT OR Apache-2.0
// OpenSSL 3 deprecates what replaces its generator in all versions.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "random.h"
#include "cases.h"

#include <openssl/rand.h>

namespace simulation {

Random::Random(std::initializer_list<std::uint64_t> seeds)
{
    for (const std::uint64_t seed : seeds)
        state = next() ^ seed;
}

std::uint64_t Random::next()
{
    state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

std::uint64_t Random::below(std::uint64_t limit)
{
    return limit == 0 ? 0 : next() % limit;
}

bool Random::chance(double probability)
{
    return double(next() >> 11) < probability * double(std::uint64_t(1) << 53);
}

static Random openssls { 0 };

static int fill(unsigned char *bytes, int length)
{
    for (int i = 0; i < length; ++i)
        bytes[i] = static_cast<unsigned char>(openssls.next());
    return 1;
}

static int isReady()
{
    return 1;
}

void seedOpenssl(std::uint64_t seed, std::uint64_t index)
{
    static const RAND_METHOD method { nullptr, fill, nullptr, nullptr, fill, isReady };
    CHECK_EQUAL(RAND_set_rand_method(&method), 1);
    openssls = Random { seed, index, 1 };
}

} // namespace simulation
