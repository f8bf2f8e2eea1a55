// SPDX-License-Identifier: MIT OR Apache-2.0
// OpenSSL's allocations, counted and failed. A5: record buffers that cannot be had for a moment.
#include "memory.h"
#include "cases.h"
#include "pair.h"

#include <openssl/crypto.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <malloc.h>

namespace harness {

// The smallest block that cannot be had.
static std::size_t smallestMissing = SIZE_MAX;
static std::atomic<std::size_t> allocated { 0 };

extern "C" {

static std::size_t sizeOf(void *memory)
{
#ifdef _WIN32
    return memory ? _msize(memory) : 0;
#else
    return malloc_usable_size(memory);
#endif
}

static void *allocate(std::size_t size, const char *, int)
{
    void *memory = size >= smallestMissing ? nullptr : std::malloc(size);
    allocated += sizeOf(memory);
    return memory;
}

static void *reallocate(void *memory, std::size_t size, const char *, int)
{
    if (size >= smallestMissing)
        return nullptr;
    const std::size_t before = sizeOf(memory);
    void *moved = std::realloc(memory, size);
    if (moved || size == 0)
        allocated += sizeOf(moved) - before;
    return moved;
}

static void release(void *memory, const char *, int)
{
    allocated -= sizeOf(memory);
    std::free(memory);
}

} // extern "C"

bool takeOverOpensslsMemory()
{
    return CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

std::size_t opensslsMemory()
{
    return allocated;
}

NoRecordBuffers::NoRecordBuffers()
{
    smallestMissing = 16384;
}

NoRecordBuffers::~NoRecordBuffers()
{
    smallestMissing = SIZE_MAX;
}

NoMemory::NoMemory()
{
    smallestMissing = 1;
}

NoMemory::~NoMemory()
{
    smallestMissing = SIZE_MAX;
}

} // namespace harness

using namespace harness;

// So many connections that none keeps its buffers between operations.
static std::vector<std::unique_ptr<Pair>> connectCrowd()
{
    std::vector<std::unique_ptr<Pair>> crowd;
    for (int count = 0; count < 17; ++count) {
        crowd.push_back(Pair::psk());
        crowd.back()->connect();
    }
    return crowd;
}

CASE(a5_without_record_buffers_a_datagram_is_lost_and_nothing_else)
{
    const auto crowd = connectCrowd();
    Pair &pair = *crowd.front();
    pair.checkMessages();
    CHECK_EQUAL(pair.client.write("message"), QDTLS_STATUS_OK);
    const Bytes datagram = pair.client.take();
    {
        const NoRecordBuffers none;
        // Some versions of OpenSSL are not asked to free their buffers (CVE-2024-4741).
        if (pair.client.write("lost") == QDTLS_STATUS_OK)
            return;
        CHECK_EQUAL(pair.client.status, QDTLS_STATUS_OUT_OF_MEMORY);
        CHECK_EQUAL(pair.client.lastError().category, QDTLS_CATEGORY_TLS_NON_FATAL);
        pair.server.read(datagram);
        CHECK_EQUAL(pair.server.status, QDTLS_STATUS_OUT_OF_MEMORY);
    }
    CHECK_EQUAL(pair.client.state(), QDTLS_STATE_COMPLETE);
    CHECK_EQUAL(pair.server.read(datagram), "message");
    pair.checkMessages();
}

CASE(a5_without_record_buffers_a_handshake_starts_later)
{
    const auto crowd = connectCrowd();
    Pair pair;
    const Bytes hello = pair.verifiedHello();
    {
        const NoRecordBuffers none;
        // The first operation of an SSL has the buffers that OpenSSL makes for it.
        pair.server.start(hello);
    }
    if (pair.server.status == QDTLS_STATUS_OUT_OF_MEMORY) {
        CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);
        CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
    } else if (pair.server.status != QDTLS_STATUS_OK) {
        CHECK_EQUAL(pair.server.state(), QDTLS_STATE_NOT_STARTED);
        pair.server.init(pair.serverTls.get());
        CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
    }
    pair.deliver();
    pair.checkMessages();
}

// What came behind the peer's last flight is kept until there is memory to decrypt it.
CASE(a5_without_record_buffers_kept_messages_stay)
{
    const auto crowd = connectCrowd();
    Pair pair;
    pair.connectUntilVerdicts();
    acceptWhenAsked(pair.server);
    CHECK_EQUAL(pair.server.write("early"), QDTLS_STATUS_OK);
    CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_OK);
    acceptWhenAsked(pair.client);
    {
        const NoRecordBuffers none;
        if (pair.client.read({}) == "early")
            return; // an OpenSSL that is not asked to free its buffers
        CHECK_EQUAL(pair.client.status, QDTLS_STATUS_OUT_OF_MEMORY);
    }
    CHECK_EQUAL(pair.client.read({}), "early");
    pair.checkMessages();
}
