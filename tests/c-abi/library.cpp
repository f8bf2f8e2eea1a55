// SPDX-License-Identifier: MIT OR Apache-2.0
// The library as a whole: version, OpenSSL, settings, log, last errors.
#include "cases.h"
#include "pair.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include <pthread.h>
#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace harness;

CASE(the_header_is_that_of_the_library)
{
    CHECK_EQUAL(qdtls_abi_version(), std::uint32_t(QDTLS_ABI_VERSION));
    const std::string abi = "(ABI " + std::to_string(QDTLS_ABI_VERSION) + ")";
    CHECK(std::string(qdtls_version()).find(abi) != std::string::npos);
}

CASE(r10_the_programs_own_openssl_is_accepted_and_another_is_refused)
{
    const void *ssl = DTLS_client_method();
    const void *crypto = BIO_s_mem();
    const int elsewhere = 0;
    CHECK_EQUAL(qdtls_openssl_attach(ssl, crypto), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_openssl_attach(&elsewhere, crypto), QDTLS_STATUS_OPENSSL_MISMATCH);
    CHECK_EQUAL(qdtls_openssl_attach(ssl, &elsewhere), QDTLS_STATUS_OPENSSL_MISMATCH);
    CHECK_EQUAL(qdtls_openssl_attach(crypto, ssl), QDTLS_STATUS_OPENSSL_MISMATCH);
    qdtls_error error = noError();
    CHECK_EQUAL(qdtls_last_error(&error), QDTLS_STATUS_OK);
    CHECK_EQUAL(error.category, QDTLS_CATEGORY_TLS_INITIALIZATION);
    CHECK_EQUAL(qdtls_openssl_attach(ssl, crypto), QDTLS_STATUS_OK);
}

CASE(f12_contexts_are_kept_by_the_setting)
{
    const auto limits = [](bool issuesTickets) {
        qdtls_retention retention {};
        CHECK_EQUAL(qdtls_context_retention(issuesTickets, &retention), QDTLS_STATUS_OK);
        return std::array { retention.unused_s, retention.total_s,
                            std::uint64_t(retention.most_unused) };
    };
    CHECK((limits(false) == std::array<std::uint64_t, 3> { 60, 0, 8 }));
    CHECK((limits(true) == std::array<std::uint64_t, 3> { 3600, 3600, 8 }));
    const ScopedSetting atOnce(QDTLS_SETTING_CONTEXT_KEEP_S, 0);
    CHECK((limits(false) == std::array<std::uint64_t, 3> { 0, 0, 8 }));
    CHECK((limits(true) == std::array<std::uint64_t, 3> { 0, 3600, 8 }));
}

CASE(r1_settings_have_bounds)
{
    struct Bounds {
        qdtls_setting name;
        std::uint64_t minimum, initial, maximum;
    };
    const Bounds all[] = {
        { QDTLS_SETTING_COOKIE_SECRET_SIZE, 16, 32, 64 },
        { QDTLS_SETTING_COOKIE_ROTATION_S, 60, 3600, 604800 },
        { QDTLS_SETTING_COOKIE_LIFETIME_S, 1, 600, 3600 },
        { QDTLS_SETTING_TIMEOUT_INITIAL_MS, 20, 400, 60000 },
        { QDTLS_SETTING_TIMEOUT_MAX_MS, 20, 60000, 600000 },
        { QDTLS_SETTING_STRICT_ALERTS, 0, 0, 1 },
        { QDTLS_SETTING_CONTEXT_KEEP_S, 0, 60, 3600 },
        { QDTLS_SETTING_TIMEOUT_MIN_MS, 20, 100, 60000 },
        { QDTLS_SETTING_COALESCE_RECORDS, 0, 1, 1 },
    };
    for (const Bounds &bounds : all) {
        std::uint64_t value = 99;
        CHECK_EQUAL(qdtls_setting_get(bounds.name, &value), QDTLS_STATUS_OK);
        CHECK_EQUAL(value, bounds.initial);
        for (const std::uint64_t refused :
             { bounds.minimum - 1, bounds.maximum + 1, ~std::uint64_t(0) })
            CHECK_EQUAL(qdtls_setting_set(bounds.name, refused), QDTLS_STATUS_INVALID_ARGUMENT);
        for (const std::uint64_t taken : { bounds.minimum, bounds.maximum, bounds.initial }) {
            CHECK_EQUAL(qdtls_setting_set(bounds.name, taken), QDTLS_STATUS_OK);
            CHECK_EQUAL(qdtls_setting_get(bounds.name, &value), QDTLS_STATUS_OK);
            CHECK_EQUAL(value, taken);
        }
    }
}

CASE(r5_wipe_overwrites_all_of_it_and_nothing_else)
{
    std::uint8_t memory[32];
    std::memset(memory, 7, sizeof memory);
    CHECK_EQUAL(qdtls_wipe(memory + 1, 30), QDTLS_STATUS_OK);
    CHECK_EQUAL(int(memory[0]), 7);
    CHECK_EQUAL(int(memory[31]), 7);
    CHECK(std::all_of(memory + 1, memory + 31, [](std::uint8_t byte) { return byte == 0; }));
    CHECK_EQUAL(qdtls_wipe(memory, 0), QDTLS_STATUS_OK);
    CHECK_EQUAL(int(memory[0]), 7);
}

CASE(last_errors_are_per_thread_and_per_handle)
{
    Endpoint endpoint(QDTLS_ROLE_CLIENT);
    CHECK_EQUAL(endpoint.lastError().status, QDTLS_STATUS_OK);
    CHECK_EQUAL(std::string(endpoint.lastError().reason), "");
    CHECK_EQUAL(qdtls_cookie_new(nullptr), QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK_EQUAL(endpoint.start(), QDTLS_STATUS_INVALID_STATE);

    qdtls_error error = noError();
    CHECK_EQUAL(qdtls_last_error(&error), QDTLS_STATUS_OK);
    CHECK_EQUAL(error.status, QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK_EQUAL(endpoint.lastError().status, QDTLS_STATUS_INVALID_STATE);

    qdtls_error elsewhere = noError();
    std::thread([&] { qdtls_last_error(&elsewhere); }).join();
    CHECK_EQUAL(elsewhere.status, QDTLS_STATUS_OK);
}

CASE(e5_a_null_handle_gives_the_threads_last_error)
{
    std::int32_t state = 0;
    const struct {
        qdtls_status (*lastError)(qdtls_error *);
    } rows[] = {
        { [](qdtls_error *error) { return qdtls_connection_last_error(nullptr, error); } },
        { [](qdtls_error *error) { return qdtls_listener_last_error(nullptr, error); } },
        { [](qdtls_error *error) { return qdtls_cookie_last_error(nullptr, error); } },
        { [](qdtls_error *error) { return qdtls_endpoint_last_error(nullptr, error); } },
    };
    CHECK_EQUAL(qdtls_connection_state(nullptr, &state), QDTLS_STATUS_INVALID_ARGUMENT);
    for (const auto &row : rows) {
        qdtls_error error { sizeof error, -1, -1, 1, nullptr, nullptr };
        CHECK_EQUAL(row.lastError(&error), QDTLS_STATUS_OK);
        CHECK_EQUAL(error.status, QDTLS_STATUS_INVALID_ARGUMENT);
        CHECK_EQUAL(std::string(error.reason), "the handle is null");
        std::thread([&] { row.lastError(&error); }).join();
        CHECK_EQUAL(error.status, QDTLS_STATUS_OK);
        CHECK_EQUAL(std::string(error.reason), "");
    }
}

// A program of a later version knows more members.
CASE(structures_may_be_longer_than_the_librarys)
{
    struct {
        qdtls_error known;
        std::uint64_t other;
    } error { noError(), 7 };
    error.known.size = sizeof error;
    CHECK_EQUAL(qdtls_cookie_new(nullptr), QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK_EQUAL(qdtls_last_error(&error.known), QDTLS_STATUS_OK);
    CHECK_EQUAL(error.known.status, QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK_EQUAL(error.known.size, sizeof error);
    CHECK_EQUAL(error.other, 7u);

    Program program;
    struct {
        qdtls_callbacks known;
        void (*other)();
    } callbacks { program.callbacks(), nullptr };
    callbacks.known.size = sizeof callbacks;
    qdtls_connection *connection = nullptr;
    CHECK_EQUAL(qdtls_connection_new(QDTLS_ROLE_CLIENT, &callbacks.known, &connection),
                QDTLS_STATUS_OK);
    qdtls_connection_free(connection);
}

static std::vector<std::string> &logged()
{
    static std::vector<std::string> lines;
    return lines;
}

extern "C" {
static void keepLine(const char *line)
{
    logged().emplace_back(line);
}
}

static qdtls_error errorAtTheEnd = noError();
static int statusAtTheEnd = -1;

extern "C" {
static void askAtTheEnd(void *)
{
    statusAtTheEnd = qdtls_last_error(&errorAtTheEnd);
}
}

// Destructors of this kind run after those of the library's thread-local data.
CASE(a15_the_last_error_can_be_asked_for_while_a_thread_ends)
{
    logged().clear();
    CHECK_EQUAL(qdtls_set_logger(keepLine), QDTLS_STATUS_OK);
    pthread_key_t key;
    CHECK_EQUAL(pthread_key_create(&key, askAtTheEnd), 0);
    std::thread([key] {
        pthread_setspecific(key, &errorAtTheEnd);
        qdtls_cookie_new(nullptr);
    }).join();
    pthread_key_delete(key);
    CHECK_EQUAL(qdtls_set_logger(nullptr), QDTLS_STATUS_OK);
    CHECK_EQUAL(statusAtTheEnd, QDTLS_STATUS_OK);
    CHECK_EQUAL(errorAtTheEnd.status, QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK(logged().empty());
}

#ifndef _WIN32
CASE(a16_a_child_of_fork_can_use_the_library)
{
    Pair before;
    before.connect();
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        bool works = false;
        try {
            Pair pair;
            pair.connect();
            pair.checkMessages();
            works = qdtls_cookie_revoke() == QDTLS_STATUS_OK;
        } catch (const Failure &) {
        }
        _exit(works ? 0 : 1);
    }
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    before.checkMessages();
}
#endif

CASE(a_connection_may_be_moved_between_threads)
{
    Pair pair;
    pair.connect();
    std::string failure;
    std::thread([&] {
        try {
            pair.checkMessages();
        } catch (const Failure &what) {
            failure = what.what();
        }
    }).join();
    CHECK_EQUAL(failure, "");
}

static int linesAboutLines = 0;

extern "C" {
static void callBack(const char *line)
{
    keepLine(line);
    Cookie cookie;
    std::size_t length = 0;
    std::uint64_t value = 0;
    qdtls_cookie_secret_length(cookie.handle, &length);
    qdtls_cookie_rotate();
    qdtls_setting_get(QDTLS_SETTING_COOKIE_ROTATION_S, &value);
    linesAboutLines -= q_dgram_puts(nullptr, nullptr);
    qdtls_set_logger(keepLine);
}
}

CASE(a9_a_logger_may_use_the_library_and_replace_itself)
{
    logged().clear();
    CHECK_EQUAL(qdtls_set_logger(callBack), QDTLS_STATUS_OK);
    waitForWarnings();
    CHECK_EQUAL(q_dgram_puts(nullptr, nullptr), -1);
    CHECK_EQUAL(linesAboutLines, 1);
    CHECK_EQUAL(logged().size(), 1u);
    waitForWarnings();
    CHECK_EQUAL(q_dgram_puts(nullptr, nullptr), -1);
    CHECK_EQUAL(logged().size(), 2u);
    CHECK_EQUAL(qdtls_set_logger(nullptr), QDTLS_STATUS_OK);
}

CASE(r18_warnings_go_to_the_logger_without_secrets)
{
    logged().clear();
    CHECK_EQUAL(qdtls_set_logger(keepLine), QDTLS_STATUS_OK);
    auto pair = Pair::psk();
    answerWithPsk(pair->client, Bytes(600, 's'));
    CHECK_EQUAL(pair->server.start(pair->verifiedHello()), QDTLS_STATUS_OK);
    while (!pair->server.outbox.empty() && pair->client.status == QDTLS_STATUS_OK)
        pair->client.proceed(pair->server.take());
    CHECK_EQUAL(qdtls_set_logger(nullptr), QDTLS_STATUS_OK);
    CHECK_EQUAL(q_dgram_puts(nullptr, nullptr), -1);

    CHECK_EQUAL(logged().size(), 1u);
    CHECK(logged()[0].find("127.0.0.1:5684") != std::string::npos);
    CHECK(logged()[0].find("600") != std::string::npos);
    CHECK(logged()[0].find("sss") == std::string::npos);
    CHECK(logged()[0].find('\n') == std::string::npos);
}
