// SPDX-License-Identifier: MIT OR Apache-2.0
// OpenSSL's allocations, which a case can count and make fail.
#ifndef HARNESS_MEMORY_H
#define HARNESS_MEMORY_H

#include <cstddef>

namespace harness {

// Has OpenSSL allocate through this file. False when it has allocated something already.
bool takeOverOpensslsMemory();

// The bytes that OpenSSL has allocated and not freed.
std::size_t opensslsMemory();

// Fails what OpenSSL allocates of a record buffer's size, until the end of the scope.
class NoRecordBuffers {
public:
    NoRecordBuffers();
    ~NoRecordBuffers();
    NoRecordBuffers(const NoRecordBuffers &) = delete;
    NoRecordBuffers &operator=(const NoRecordBuffers &) = delete;
};

// Fails all that OpenSSL allocates, until the end of the scope.
class NoMemory {
public:
    NoMemory();
    ~NoMemory();
    NoMemory(const NoMemory &) = delete;
    NoMemory &operator=(const NoMemory &) = delete;
};

} // namespace harness

#endif
