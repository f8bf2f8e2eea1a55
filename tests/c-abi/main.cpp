// SPDX-License-Identifier: MIT OR Apache-2.0
// Tests of the C ABI as a C++ program without Qt sees it. Every case prints a line; any failure
// makes the exit code 1.
#include "cases.h"
#include "memory.h"

#include <iostream>

static bool passes(const harness::Case &one)
{
    try {
        one.body();
        std::cout << "PASS " << one.name << std::endl;
        return true;
    } catch (const std::exception &failure) {
        std::cout << "FAIL " << one.name << ": " << failure.what() << std::endl;
        return false;
    }
}

int main(int count, char **arguments)
{
    if (count != 2) {
        std::cerr << "usage: " << arguments[0] << " HEADER" << std::endl;
        return 2;
    }
    if (!harness::takeOverOpensslsMemory()) {
        std::cerr << "OpenSSL has allocated memory before main()" << std::endl;
        return 2;
    }
    harness::headerPath() = arguments[1];
    int passed = 0;
    int failed = 0;
    for (const harness::Case &one : harness::cases())
        ++(passes(one) ? passed : failed);
    std::cout << passed << " passed, " << failed << " failed" << std::endl;
    return failed == 0 && passed > 0 ? 0 : 1;
}
