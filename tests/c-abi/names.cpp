// SPDX-License-Identifier: MIT OR Apache-2.0
// The server name that a client sends.
#include "cases.h"
#include "pair.h"

#include <openssl/tls1.h>

using namespace harness;

static qdtls_status setServerName(Endpoint &client, const std::string &name)
{
    const Bytes bytes = bytesOf(name);
    return qdtls_connection_set_server_name(client.handle, bytes.data(), bytes.size());
}

// Labels of 63 letters and a last one, `length` characters in all.
static std::string longName(std::size_t length)
{
    std::string name(length, 'a');
    for (std::size_t dot = 63; dot + 1 < length; dot += 64)
        name[dot] = '.';
    return name;
}

// What the server gets from a client whose name was set to each of these, in order.
static std::string serverNameOf(const std::vector<std::string> &names)
{
    Pair pair;
    CHECK_EQUAL(qdtls_connection_reset(pair.client.handle), QDTLS_STATUS_OK);
    for (const std::string &name : names)
        setServerName(pair.client, name);
    pair.client.init(pair.clientTls.get());
    pair.connect();
    const char *name = SSL_get_servername(pair.server.ssl, TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
}

CASE(f6_one_trailing_dot_is_not_sent)
{
    CHECK_EQUAL(serverNameOf({ "bob.example" }), "bob.example");
    CHECK_EQUAL(serverNameOf({ "bob.example." }), "bob.example");
    CHECK_EQUAL(serverNameOf({ longName(253) + "." }), longName(253));
}

CASE(e6_a_name_that_is_no_host_name_is_refused_at_once)
{
    const std::pair<std::string, const char *> rows[] = {
        { "127.0.0.1", "IP address" },
        { "127.1", "IP address" },
        { "0x7f000001", "IP address" },
        { "::1", "IP address" },
        { "::ffff:127.0.0.1", "IP address" },
        { "fe80::1%eth0", "IP address" },
        { "b\xc3\xbc"
          "cher.example",
          "ASCII" },
        { std::string("bob\0example", 11), "letters" },
        { "bob example", "letters" },
        { "*.example", "letters" },
        { ".", "253" },
        { longName(254), "253" },
        { std::string(400, 'a'), "253" },
        { std::string(64, 'a'), "63" },
        { "bob..example", "63" },
        { ".bob.example", "63" },
        { "bob.example..", "63" },
        { "-bob.example", "hyphen" },
    };
    Endpoint client(QDTLS_ROLE_CLIENT);
    for (const auto &[name, reason] : rows) {
        CHECK_EQUAL(setServerName(client, name), QDTLS_STATUS_INVALID_ARGUMENT);
        const std::string given = client.lastError().reason;
        if (given.find(reason) == std::string::npos)
            fail(__FILE__, __LINE__, name + ": " + given);
    }
}

CASE(e6_a_refused_name_leaves_the_one_before)
{
    CHECK_EQUAL(serverNameOf({ "bob.example", "127.0.0.1" }), "bob.example");
    CHECK_EQUAL(serverNameOf({ "bob.example", "" }), "");
}
