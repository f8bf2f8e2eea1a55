// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_MEMORY_P_H
#define QDTLSRS_MEMORY_P_H

// Qt and the C++ library throw when memory is missing. An exception must not reach Rust, which ends
// the program, nor Qt, whose network code is compiled without exceptions and leaves things as they
// are.

#include <QtCore/qstring.h>

#include <new>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

// Runs `work`. Returns false when it ended early for want of memory.
template <typename Work> [[nodiscard]] bool hasMemoryFor(const Work &work)
{
    try {
        work();
        return true;
    } catch (const std::bad_alloc &) {
        return false;
    }
}

// Needs no memory.
inline QString outOfMemory()
{
    return QStringLiteral("out of memory");
}

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_MEMORY_P_H
