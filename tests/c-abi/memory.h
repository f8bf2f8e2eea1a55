// SPDX-License-Identifier: MIT OR Apache-2.0
// OpenSSL's allocations, which a case can make fail.
#ifndef HARNESS_MEMORY_H
#define HARNESS_MEMORY_H

namespace harness {

// Has OpenSSL allocate through this file. False when it has allocated something already.
bool takeOverOpensslsMemory();

// Fails what OpenSSL allocates of a record buffer's size, until the end of the scope.
class NoRecordBuffers {
public:
    NoRecordBuffers();
    ~NoRecordBuffers();
    NoRecordBuffers(const NoRecordBuffers &) = delete;
    NoRecordBuffers &operator=(const NoRecordBuffers &) = delete;
};

} // namespace harness

#endif
