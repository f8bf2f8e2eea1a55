// SPDX-License-Identifier: MIT OR Apache-2.0
// E4: an SSL_CTX that is not prepared, or is for another method or role, is refused with the
// reason.
#include "cases.h"
#include "pair.h"

#include <set>
#include <string>

using namespace harness;

namespace {

struct Row {
    const char *what;
    const SSL_METHOD *method;
    qdtls_role role;
    bool prepared;
    qdtls_status expected;
    // What the reason names.
    const char *named;
};

qdtls_status initTls(Endpoint &side, SSL_CTX *context)
{
    return qdtls_connection_init_tls(side.handle, SSL_new(context), nullptr, nullptr);
}

} // namespace

CASE(e4_init_tls_checks_preparation_method_and_role)
{
    const Row rows[] = {
        { "generic, client", DTLS_method(), QDTLS_ROLE_CLIENT, true, QDTLS_STATUS_OK, "" },
        { "generic, server", DTLS_method(), QDTLS_ROLE_SERVER, true, QDTLS_STATUS_OK, "" },
        { "client's, client", DTLS_client_method(), QDTLS_ROLE_CLIENT, true, QDTLS_STATUS_OK, "" },
        { "server's, server", DTLS_server_method(), QDTLS_ROLE_SERVER, true, QDTLS_STATUS_OK, "" },
        { "client's, server", DTLS_client_method(), QDTLS_ROLE_SERVER, true,
          QDTLS_STATUS_INVALID_ARGUMENT, "DTLS_server_method" },
        { "server's, client", DTLS_server_method(), QDTLS_ROLE_CLIENT, true,
          QDTLS_STATUS_INVALID_ARGUMENT, "DTLS_client_method" },
        { "unprepared, client", DTLS_method(), QDTLS_ROLE_CLIENT, false,
          QDTLS_STATUS_INVALID_ARGUMENT, "qdtls_context_prepare" },
        { "unprepared, server", DTLS_method(), QDTLS_ROLE_SERVER, false,
          QDTLS_STATUS_INVALID_ARGUMENT, "qdtls_context_prepare" },
        { "TLS", TLS_method(), QDTLS_ROLE_CLIENT, false, QDTLS_STATUS_INVALID_ARGUMENT, "DTLS" },
    };
    for (const Row &row : rows) {
        const ContextPtr context(SSL_CTX_new(row.method));
        if (row.prepared)
            CHECK_EQUAL(qdtls_context_prepare(context.get()), QDTLS_STATUS_OK);
        Endpoint side(row.role);
        const qdtls_status status = initTls(side, context.get());
        CHECK_EQUAL(std::string(row.what) + ": " + std::to_string(status),
                    std::string(row.what) + ": " + std::to_string(row.expected));
        if (status != QDTLS_STATUS_OK)
            CHECK(std::string(side.lastError().reason).find(row.named) != std::string::npos);
        // The refused SSL was released, and the handle is as before.
        CHECK_EQUAL(initTls(side, clientContext().get()), QDTLS_STATUS_OK);
    }
}

CASE(e4_preparing_again_changes_nothing)
{
    Pair pair;
    for (SSL_CTX *context : { pair.clientTls.get(), pair.serverTls.get() })
        CHECK_EQUAL(qdtls_context_prepare(context), QDTLS_STATUS_OK);
    pair.connect();
    pair.checkMessages();
}

// SSL_CTX_set_session_cache_mode(3): what the program turns on again after the preparation works.
CASE(sessions_have_ids_where_the_program_keeps_them)
{
    Contexts shared;
    SSL_CTX_set_session_cache_mode(shared.server.get(), SSL_SESS_CACHE_SERVER);
    std::set<std::string> ids;
    for (int i = 0; i < 3; ++i) {
        Pair pair(shared);
        pair.connect();
        unsigned length = 0;
        const auto *id = SSL_SESSION_get_id(SSL_get_session(pair.server.ssl), &length);
        ids.emplace(reinterpret_cast<const char *>(id), length);
        CHECK_EQUAL(length, unsigned(SSL_MAX_SSL_SESSION_ID_LENGTH));
        CHECK_EQUAL(SSL_CTX_sess_number(shared.server.get()), 1L);
    }
    CHECK_EQUAL(ids.size(), std::size_t(3));
}

CASE(a25_cookie_parameters_that_change_after_init_tls_are_noticed_by_start)
{
    for (const bool removed : { true, false }) {
        Pair pair;
        Cookie cookie;
        const qdtls_cookie *before = removed ? cookie.handle : nullptr;
        const qdtls_cookie *after = removed ? nullptr : cookie.handle;
        CHECK_EQUAL(qdtls_connection_set_cookie(pair.server.handle, before), QDTLS_STATUS_OK);
        pair.server.init(pair.serverTls.get());
        CHECK_EQUAL(qdtls_connection_set_cookie(pair.server.handle, after), QDTLS_STATUS_OK);
        const Bytes hello = pair.verifiedHello();
        CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_INVALID_STATE);
        CHECK(std::string(pair.server.lastError().reason).find("cookie") != std::string::npos);
        pair.server.init(pair.serverTls.get());
        CHECK_EQUAL(pair.server.start(hello), QDTLS_STATUS_OK);
    }
}
