// SPDX-License-Identifier: MIT OR Apache-2.0
#include "masked_secret.h"

#include <QtCore/QRandomGenerator>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

namespace hardening {

namespace {

// The size of what is read at once; blocks overlap by more than a secret's length.
constexpr off_t blockSize = 1 << 16;
constexpr off_t overlap = 64;

constexpr int randomSize = 64;
constexpr char mask = 0x5a;

// Calls visit(begin, end) for a copy of each block of one region of this process's memory. The copy
// is wiped before the next is made. It is read through /proc/self/mem because a region that is gone
// by now is an error there and a crash anywhere else.
template <typename Visit> void forEachBlock(int memory, off_t begin, off_t end, Visit visit)
{
    static char block[blockSize];
    for (off_t at = begin; at < end; at += blockSize - overlap) {
        const ssize_t size = pread(memory, block, size_t(qMin(blockSize, end - at)), at);
        if (size > 0)
            visit(block, block + size);
        std::fill(std::begin(block), std::end(block), '\0');
    }
}

// The same for all writable regions. Nothing is allocated on the way, or that might overwrite the
// freed memory which is to be searched.
template <typename Visit> void forEachWritableBlock(Visit visit)
{
    static char maps[1 << 18];
    const int list = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    for (ssize_t got; (got = read(list, maps + size, sizeof maps - 1 - size)) > 0;)
        size += size_t(got);
    maps[size] = '\0';
    close(list);
    if (size == 0 || memory < 0)
        qFatal("this case needs /proc/self");

    for (char *line = maps; *line; line = std::strchr(line, '\n') + 1) {
        char *at = nullptr;
        const auto begin = off_t(std::strtoull(line, &at, 16));
        const auto end = off_t(std::strtoull(at + 1, &at, 16));
        if (std::strncmp(at, " rw", 3) == 0)
            forEachBlock(memory, begin, end, visit);
    }
    close(memory);
}

QByteArray random()
{
    QByteArray secret(randomSize, Qt::Uninitialized);
    for (char &byte : secret)
        byte = char(QRandomGenerator::system()->generate());
    return secret;
}

} // namespace

MaskedSecret::MaskedSecret()
    : MaskedSecret(random())
{
}

MaskedSecret::MaskedSecret(QByteArray &&secret)
    : masked(std::move(secret))
{
    for (char &byte : masked)
        byte = char(byte ^ mask);
}

QByteArray MaskedSecret::reveal() const
{
    QByteArray secret = masked;
    for (char &byte : secret)
        byte = char(byte ^ mask);
    return secret;
}

int MaskedSecret::occurrences() const
{
    int found = 0;
    const qsizetype half = masked.size() / 2;
    forEachWritableBlock([&](const char *begin, const char *end) {
        for (const char *at = begin; at + half <= end; ++at)
            found += matches(at);
    });
    return found;
}

bool MaskedSecret::matches(const char *bytes) const
{
    const auto masks = [](char plain, char kept) { return char(plain ^ mask) == kept; };
    const auto half = masked.cbegin() + masked.size() / 2;
    return std::equal(half, masked.cend(), bytes,
                      [&](char kept, char plain) { return masks(plain, kept); });
}

} // namespace hardening
