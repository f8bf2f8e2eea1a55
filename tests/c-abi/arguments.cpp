// SPDX-License-Identifier: MIT OR Apache-2.0
// Each row of the tables is a case. One more case compares the functions of the rows with those of
// the header.
#include "arguments.h"
#include "cases.h"

#include <cctype>
#include <fstream>
#include <iterator>
#include <set>

namespace harness {

namespace {

constexpr int untouched = 0xa5;

qdtls_error lastError(const Probe &p, Told told)
{
    qdtls_error error = noError();
    switch (told) {
    case Told::Nowhere:
        break;
    case Told::OnThread:
        CHECK_EQUAL(qdtls_last_error(&error), QDTLS_STATUS_OK);
        break;
    case Told::OnCookie:
        CHECK_EQUAL(qdtls_cookie_last_error(p.cookie, &error), QDTLS_STATUS_OK);
        break;
    case Told::OnListener:
        CHECK_EQUAL(qdtls_listener_last_error(p.listener, &error), QDTLS_STATUS_OK);
        break;
    case Told::OnConnection:
        CHECK_EQUAL(qdtls_connection_last_error(p.connection, &error), QDTLS_STATUS_OK);
        break;
    case Told::OnEndpoint:
        CHECK_EQUAL(qdtls_endpoint_last_error(p.endpoint, &error), QDTLS_STATUS_OK);
        break;
    }
    return error;
}

void check(const Row &row)
{
    Probe p;
    CHECK_EQUAL(row.call(p), row.expected);
    CHECK(p.outputsUntouched());
    if (row.told == Told::Nowhere)
        return;
    const qdtls_error error = lastError(p, row.told);
    CHECK_EQUAL(error.status, row.expected);
    CHECK(error.category != QDTLS_CATEGORY_NONE);
    CHECK(error.operation != nullptr && *error.operation != '\0');
    CHECK(error.reason != nullptr && *error.reason != '\0');
}

Rows allRows()
{
    Rows all;
    for (const auto &table :
         { libraryRows, cookieRows, listenerRows, connectionRows, operationRows, questionRows,
           callbackRows, endpointRows, featureRows, sessionRows }) {
        const Rows rows = table();
        all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
}

bool registerRows()
{
    for (const Row &row : allRows()) {
        const std::string name = std::string("arguments of ") + row.function + ": " + row.what;
        cases().push_back({ name, [row] { check(row); } });
    }
    return true;
}

[[maybe_unused]] const bool registered = registerRows();

std::string withoutComments(std::string text)
{
    for (auto start = text.find("/*"); start != std::string::npos; start = text.find("/*", start))
        text.erase(start, text.find("*/", start) + 2 - start);
    return text;
}

// The names in front of a parenthesis: qdtls_* and q_* are functions, whatever else a header may
// hold.
std::set<std::string> declaredFunctions(const std::string &header)
{
    const auto isNamePart = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
    };
    std::set<std::string> names;
    for (auto open = header.find('('); open != std::string::npos;
         open = header.find('(', open + 1)) {
        auto start = open;
        while (start > 0 && isNamePart(header[start - 1]))
            --start;
        const std::string name = header.substr(start, open - start);
        if (name.rfind("qdtls_", 0) == 0 || name.rfind("q_", 0) == 0)
            names.insert(name);
    }
    return names;
}

} // namespace

Probe::Probe()
{
    noSend.send = nullptr;
    noSize.size = 0;
    std::memset(static_cast<void *>(&out), untouched, sizeof out);
}

SSL_CTX *Probe::prepared()
{
    CHECK_EQUAL(qdtls_context_prepare(context), QDTLS_STATUS_OK);
    return context;
}

bool Probe::outputsUntouched() const
{
    Outputs expected;
    std::memset(static_cast<void *>(&expected), untouched, sizeof expected);
    return std::memcmp(static_cast<const void *>(&out), &expected, sizeof expected) == 0;
}

} // namespace harness

CASE(no_function_of_the_header_is_forgotten)
{
    std::ifstream file(harness::headerPath());
    const std::string header { std::istreambuf_iterator<char>(file), {} };
    const auto declared = harness::declaredFunctions(harness::withoutComments(header));
    CHECK(declared.size() > 40u);
    std::set<std::string> called;
    for (const harness::Row &row : harness::allRows())
        called.insert(row.function);
    for (const std::string &name : declared) {
        if (called.count(name) == 0)
            harness::fail(__FILE__, __LINE__, "no row calls " + name);
    }
    CHECK_EQUAL(called.size(), declared.size());
}
