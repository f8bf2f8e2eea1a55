// SPDX-License-Identifier: MIT OR Apache-2.0
#include "stack.h"

#include <dlfcn.h>
#include <execinfo.h>

namespace allocation {

void Stack::capture()
{
    size = backtrace(frames, capacity);
}

QByteArray Stack::text() const
{
    QByteArray text;
    for (int i = 0; i < size; ++i) {
        // A return address may already belong to the next line, or even function.
        const char *address = static_cast<const char *>(frames[i]) - 1;
        Dl_info library;
        if (!text.isEmpty())
            text += ' ';
        if (dladdr(address, &library)) {
            const auto offset = address - static_cast<const char *>(library.dli_fbase);
            text += library.dli_fname + QByteArray("+0x") + QByteArray::number(offset, 16);
        } else {
            text += "?+0x" + QByteArray::number(quintptr(address), 16);
        }
    }
    return text.isEmpty() ? "-" : text;
}

void Stack::warmUp()
{
    Stack().capture();
}

} // namespace allocation
