// SPDX-License-Identifier: MIT OR Apache-2.0
#include "images.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <link.h>

namespace allocation::images {

namespace {

struct Range {
    uintptr_t begin;
    uintptr_t end;
    Image image;
};

// An array, for malloc(3) reads it.
std::array<Range, 16> ranges;
size_t count = 0;

Image imageNamed(const char *path)
{
    constexpr std::pair<const char *, Image> names[] = {
        { "/libqopensslbackend.so", Image::Plugin }, { "/libQt6Core.so", Image::Qt },
        { "/libQt6Network.so", Image::Qt },          { "/libstdc++.so", Image::Runtime },
        { "/libc++abi.so", Image::Runtime },         { "/libgcc_s.so", Image::Runtime },
    };
    // The program itself has no name here.
    if (*path == '\0')
        return Image::Program;
    const auto isPartOf = [path](const auto &name) { return std::strstr(path, name.first); };
    const auto found = std::find_if(std::begin(names), std::end(names), isPartOf);
    return found == std::end(names) ? Image::Other : found->second;
}

int note(dl_phdr_info *library, size_t, void *)
{
    const Image image = imageNamed(library->dlpi_name);
    if (image == Image::Other)
        return 0;
    for (int i = 0; i < library->dlpi_phnum && count < ranges.size(); ++i) {
        const auto &segment = library->dlpi_phdr[i];
        const uintptr_t begin = library->dlpi_addr + segment.p_vaddr;
        if (segment.p_type == PT_LOAD && segment.p_flags & PF_X)
            ranges[count++] = { begin, begin + segment.p_memsz, image };
    }
    return 0;
}

} // namespace

void learn()
{
    count = 0;
    dl_iterate_phdr(note, nullptr);
}

Image of(const void *address)
{
    const auto at = reinterpret_cast<uintptr_t>(address);
    const auto last = ranges.begin() + count;
    const auto isIn = [at](const Range &range) { return range.begin <= at && at < range.end; };
    const auto found = std::find_if(ranges.begin(), last, isIn);
    return found == last ? Image::Other : found->image;
}

} // namespace allocation::images
