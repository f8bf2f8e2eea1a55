// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Whose code an address belongs to.
#pragma once

namespace allocation::images {

enum class Image {
    Plugin,
    Qt, // QtCore or QtNetwork
    Runtime, // of C++: operator new, and what throws
    Program,
    Other,
};

// Notes where the libraries are. Call it when all are loaded.
void learn();
Image of(const void *address);

} // namespace allocation::images
