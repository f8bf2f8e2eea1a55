// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cases.h"

#include <utility>

namespace harness {

std::string &headerPath()
{
    static std::string path;
    return path;
}

std::vector<Case> &cases()
{
    static std::vector<Case> all;
    return all;
}

Registration::Registration(std::string name, std::function<void()> body)
{
    cases().push_back({ std::move(name), std::move(body) });
}

void fail(const char *file, int line, const std::string &what)
{
    std::ostringstream text;
    text << file << ':' << line << ": " << what;
    throw Failure(text.str());
}

} // namespace harness
