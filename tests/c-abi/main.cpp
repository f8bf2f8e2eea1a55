// SPDX-License-Identifier: MIT OR Apache-2.0
// Tests of the C ABI as a C++ program without Qt sees it. Every case prints a line; a failure
// prints it again at the end, and makes the exit code 1.
#include "cases.h"
#include "memory.h"

#include <iostream>
#include <string>
#include <vector>

// Empty when the case passes.
static std::string failureOf(const harness::Case &one)
{
    try {
        one.body();
        return {};
    } catch (const std::exception &failure) {
        return std::string("FAIL ") + one.name + ": " + failure.what();
    }
}

int main(int count, char **arguments)
{
    if (count != 2 && count != 4) {
        std::cerr << "usage: " << arguments[0] << " HEADER [SHARE SHARES]" << std::endl;
        return 2;
    }
    const std::size_t share = count == 4 ? std::stoul(arguments[2]) : 0;
    const std::size_t shares = count == 4 ? std::stoul(arguments[3]) : 1;
    if (!harness::takeOverOpensslsMemory()) {
        std::cerr << "OpenSSL has allocated memory before main()" << std::endl;
        return 2;
    }
    harness::headerPath() = arguments[1];
    int passed = 0;
    std::vector<std::string> failures;
    std::size_t number = 0;
    for (const harness::Case &one : harness::cases()) {
        if (number++ % shares != share)
            continue;
        const std::string failure = failureOf(one);
        if (failure.empty()) {
            ++passed;
            std::cout << "PASS " << one.name << std::endl;
        } else {
            failures.push_back(failure);
            std::cout << failure << std::endl;
        }
    }
    for (const std::string &failure : failures)
        std::cout << failure << std::endl;
    std::cout << passed << " passed, " << failures.size() << " failed" << std::endl;
    return failures.empty() && passed > 0 ? 0 : 1;
}
