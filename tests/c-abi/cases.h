// SPDX-License-Identifier: MIT OR Apache-2.0
// A registry of named cases, and their checks.
#ifndef HARNESS_CASES_H
#define HARNESS_CASES_H

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace harness {

struct Case {
    std::string name;
    std::function<void()> body;
};

// Where the header of the library is.
std::string &headerPath();

// In the order of registration.
std::vector<Case> &cases();

struct Registration {
    Registration(std::string name, std::function<void()> body);
};

// Ends the case. Callbacks must not throw it; they record what they see.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[noreturn]] void fail(const char *file, int line, const std::string &what);

template <typename Actual, typename Expected>
void checkEqual(const char *file, int line, const char *text, const Actual &actual,
                const Expected &expected)
{
    if (actual == expected)
        return;
    std::ostringstream what;
    what << text << " is " << actual << ", expected " << expected;
    fail(file, line, what.str());
}

} // namespace harness

#define CASE(name)                                                                                 \
    static void name();                                                                            \
    static const harness::Registration name##Registration(#name, name);                            \
    static void name()

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            harness::fail(__FILE__, __LINE__, #condition);                                         \
    } while (false)

#define CHECK_EQUAL(actual, expected)                                                              \
    harness::checkEqual(__FILE__, __LINE__, #actual, actual, expected)

#endif
