// SPDX-License-Identifier: MIT OR Apache-2.0
// Ownership: each object is freed once, by its owner, at the right time.
#include "cases.h"
#include "pair.h"

#include <algorithm>

using namespace harness;

namespace {

using Journal = std::vector<std::string>;

// Written to when an SSL is freed that has it as its data.
void noteSslFreed(void *, void *data, CRYPTO_EX_DATA *, int, long, void *)
{
    if (data != nullptr)
        static_cast<Journal *>(data)->push_back("ssl");
}

int journalIndex()
{
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, noteSslFreed);
    return index;
}

extern "C" void noteContextOwner(void *journal)
{
    static_cast<Journal *>(journal)->push_back("context owner");
}

SslPtr journalled(SSL_CTX *context, Journal &journal)
{
    SslPtr ssl(SSL_new(context));
    CHECK_EQUAL(SSL_set_ex_data(ssl.get(), journalIndex(), &journal), 1);
    return ssl;
}

void give(Endpoint &endpoint, SslPtr ssl, Journal &journal)
{
    endpoint.ssl = ssl.release();
    CHECK_EQUAL(
        qdtls_connection_init_tls(endpoint.handle, endpoint.ssl, &journal, noteContextOwner),
        QDTLS_STATUS_OK);
}

} // namespace

CASE(everything_is_released_once_and_the_ssl_first)
{
    const ContextPtr context = clientContext();
    Journal journal;
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    endpoint.onRelease = [&] { journal.push_back("callbacks"); };
    give(endpoint, journalled(context.get(), journal), journal);
    CHECK_EQUAL(endpoint.start(), QDTLS_STATUS_OK);
    CHECK(journal.empty());
    endpoint.free();
    CHECK_EQUAL(journal.size(), 3u);
    CHECK_EQUAL(journal.front(), "ssl");
    CHECK_EQUAL(std::count(journal.begin(), journal.end(), "context owner"), 1);
    CHECK_EQUAL(std::count(journal.begin(), journal.end(), "callbacks"), 1);
}

CASE(reset_releases_the_handshake_and_keeps_the_connection)
{
    const ContextPtr context = clientContext();
    Journal journal;
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    const Journal expected { "ssl", "context owner" };
    for (int round = 0; round < 2; ++round) {
        give(endpoint, journalled(context.get(), journal), journal);
        CHECK_EQUAL(qdtls_connection_reset(endpoint.handle), QDTLS_STATUS_OK);
        CHECK(journal == expected);
        journal.clear();
    }
    CHECK_EQUAL(endpoint.released, 0);
}

CASE(a_second_ssl_replaces_the_first)
{
    const ContextPtr context = clientContext();
    Journal first;
    Journal second;
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    give(endpoint, journalled(context.get(), first), first);
    give(endpoint, journalled(context.get(), second), second);
    const Journal expected { "ssl", "context owner" };
    CHECK(first == expected);
    CHECK(second.empty());
}

CASE(a_context_owner_released_inside_an_operation_waits_for_openssl)
{
    const ContextPtr context = clientContext();
    Journal journal;
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    give(endpoint, journalled(context.get(), journal), journal);
    std::size_t inside = 99;
    endpoint.onSend = [&](const Bytes &) {
        endpoint.free();
        inside = journal.size();
        return QDTLS_SEND_RESULT_SENT;
    };
    endpoint.start();
    CHECK_EQUAL(inside, 0u);
    const Journal expected { "ssl", "context owner" };
    CHECK(journal == expected);
}

CASE(init_tls_consumes_ssl_and_context_owner_whatever_the_outcome)
{
    const ContextPtr context = clientContext();
    const ContextPtr tls(SSL_CTX_new(TLS_method()));
    Endpoint started(QDTLS_ROLE_CLIENT);
    Endpoint idle(QDTLS_ROLE_CLIENT);
    started.init(context.get());
    CHECK_EQUAL(started.start(), QDTLS_STATUS_OK);

    const struct {
        qdtls_connection *connection;
        SSL_CTX *context; // null: no SSL is handed over
        qdtls_status status;
    } rows[] = {
        { started.handle, context.get(), QDTLS_STATUS_INVALID_STATE },
        { idle.handle, tls.get(), QDTLS_STATUS_INVALID_ARGUMENT },
        { idle.handle, nullptr, QDTLS_STATUS_INVALID_ARGUMENT },
        { nullptr, context.get(), QDTLS_STATUS_INVALID_ARGUMENT },
    };
    for (const auto &row : rows) {
        Journal journal;
        SSL *ssl = row.context ? journalled(row.context, journal).release() : nullptr;
        CHECK_EQUAL(qdtls_connection_init_tls(row.connection, ssl, &journal, noteContextOwner),
                    row.status);
        const Journal both { "ssl", "context owner" };
        const Journal ownerAlone { "context owner" };
        CHECK(journal == (row.context ? both : ownerAlone));
    }
    CHECK_EQUAL(started.state(), QDTLS_STATE_IN_PROGRESS);
}

CASE(servers_that_know_their_clients_do_not_resume)
{
    Endpoint client(QDTLS_ROLE_CLIENT);
    Endpoint server(QDTLS_ROLE_SERVER);
    const auto mayResume = [](const Endpoint &end, bool wanted, bool verifies, bool certificate) {
        bool allowed = !wanted;
        CHECK_EQUAL(
            qdtls_connection_may_resume(end.handle, wanted, verifies, certificate, &allowed),
            QDTLS_STATUS_OK);
        return allowed;
    };
    CHECK(mayResume(client, true, true, false));
    CHECK(mayResume(server, true, false, true));
    CHECK(!mayResume(server, true, true, true));
    CHECK(!mayResume(server, true, false, false));
    CHECK(!mayResume(server, false, false, true));
    CHECK(!mayResume(client, false, true, true));
}

CASE(an_ssl_of_another_protocol_is_not_taken)
{
    const ContextPtr tls(SSL_CTX_new(TLS_method()));
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    CHECK_EQUAL(qdtls_connection_init_tls(endpoint.handle, SSL_new(tls.get()), nullptr, nullptr),
                QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK(*endpoint.lastError().reason != '\0');
    CHECK_EQUAL(endpoint.start(), QDTLS_STATUS_INVALID_STATE);
}

CASE(a_handle_that_was_not_made_releases_nothing)
{
    Program program;
    qdtls_callbacks callbacks = program.callbacks();
    qdtls_connection *connection = nullptr;
    CHECK_EQUAL(qdtls_connection_new(7, &callbacks, &connection), QDTLS_STATUS_INVALID_ARGUMENT);
    callbacks.send = nullptr;
    qdtls_listener *listener = nullptr;
    CHECK_EQUAL(qdtls_listener_new(&callbacks, &listener), QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK_EQUAL(program.released, 0);
}

CASE(optional_callbacks_may_be_null)
{
    Program program;
    qdtls_callbacks callbacks = program.callbacks();
    callbacks.psk = nullptr;
    callbacks.now = nullptr;
    callbacks.release = nullptr;
    qdtls_listener *listener = nullptr;
    CHECK_EQUAL(qdtls_listener_new(&callbacks, &listener), QDTLS_STATUS_OK);
    Pair pair;
    CHECK_EQUAL(pair.client.start(), QDTLS_STATUS_OK);
    const Bytes hello = pair.client.take();
    bool verified = true;
    CHECK_EQUAL(
        qdtls_listener_verify(listener, &pair.address, hello.data(), hello.size(), &verified),
        QDTLS_STATUS_OK);
    CHECK(!verified);
    CHECK_EQUAL(program.outbox.size(), 1u);
    qdtls_listener_free(listener);
    CHECK_EQUAL(program.released, 0);
}
