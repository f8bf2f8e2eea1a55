// SPDX-License-Identifier: MIT OR Apache-2.0
// Calls with wrong arguments, as tables: the result of each, and the handle that keeps its error.
#ifndef HARNESS_ARGUMENTS_H
#define HARNESS_ARGUMENTS_H

#include "endpoint.h"
#include "socket_endpoint.h"

#include <climits>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace harness {

// Places for every kind of output. A call that fails leaves their bytes as they are.
struct Outputs {
    std::int32_t number;
    std::uint32_t length32;
    std::uint64_t wide;
    std::size_t size;
    bool flag;
    std::uint8_t bytes[256];
    const std::uint8_t *name;
    qdtls_error error;
    qdtls_verify_error verifyError;
    qdtls_parameters parameters;
    qdtls_srtp_keys srtpKeys;
    qdtls_connection_counters counters;
    qdtls_cookie_counters cookieCounters;
    qdtls_process_counters processCounters;
    qdtls_cookie *cookie;
    qdtls_listener *listener;
    qdtls_connection *connection;
    qdtls_endpoint *endpoint;
    qdtls_session *session;
    qdtls_address address;
    SSL *ssl;
    X509 *certificate;
    STACK_OF(X509) * chain;
    const SSL_CIPHER *cipher;

    char *text() { return reinterpret_cast<char *>(bytes); }
};

// The arguments of the rows.
struct Probe {
    Probe();
    bool outputsUntouched() const;
    // The context, prepared.
    SSL_CTX *prepared();

    Cookie cookieOwner;
    Listener listenerOwner;
    // Its peer is set; TLS is not initialised.
    Endpoint connectionOwner { QDTLS_ROLE_SERVER };
    ContextPtr contextOwner { SSL_CTX_new(DTLS_method()) };
    ContextPtr tlsContextOwner { SSL_CTX_new(TLS_method()) };
    BioPtr bioOwner { BIO_new(BIO_s_mem()) };
    SocketEndpoint endpointOwner;

    qdtls_cookie *cookie = cookieOwner.handle;
    qdtls_listener *listener = listenerOwner.handle;
    qdtls_connection *connection = connectionOwner.handle;
    SSL_CTX *context = contextOwner.get();
    SSL_CTX *tlsContext = tlsContextOwner.get();
    BIO *bio = bioOwner.get();
    qdtls_endpoint *endpoint = endpointOwner.handle;
    qdtls_endpoint_callbacks endpointCallbacks = endpointOwner.callbacks();
    std::ptrdiff_t socket = endpointOwner.socket.handle;
    qdtls_callbacks callbacks = connectionOwner.callbacks();
    qdtls_callbacks noSend = connectionOwner.callbacks();
    qdtls_callbacks noSize = connectionOwner.callbacks();
    qdtls_error errorWithoutSize {};
    qdtls_parameters parametersWithoutSize {};
    qdtls_srtp_keys srtpKeysWithoutSize {};
    qdtls_connection_counters countersWithoutSize {};
    qdtls_cookie_counters cookieCountersWithoutSize {};
    qdtls_process_counters processCountersWithoutSize {};
    std::uint16_t unknownProfile = 3;
    qdtls_address address = ipv4();
    qdtls_address family5 { 5, 0, 5684, { 127, 0, 0, 1 } };
    qdtls_address port0 = ipv4(0);
    qdtls_address unspecified { 4, 0, 5684, {} };
    std::uint8_t input[64] = {};
    Outputs out;
};

enum class Told { Nowhere, OnThread, OnCookie, OnListener, OnConnection, OnEndpoint };

struct Row {
    const char *function;
    const char *what;
    long expected;
    Told told;
    long (*call)(Probe &);
};

template <typename Call> long resultOf(const Call &call)
{
    using Result = decltype(call());
    if constexpr (std::is_void_v<Result>) {
        call();
        return 0;
    } else if constexpr (std::is_pointer_v<Result>) {
        return call() != nullptr;
    } else {
        return static_cast<long>(call());
    }
}

inline Row row(const char *function, const char *what, long expected, Told told,
               long (*call)(Probe &))
{
    return { function, what, expected, told, call };
}

// Names the function once, so that the called one is the one that counts as covered.
#define ROW(function, what, expected, told, arguments)                                             \
    row(#function, what, expected, Told::told,                                                     \
        []([[maybe_unused]] Probe &p) { return resultOf([&] { return function arguments; }); })

using Rows = std::vector<Row>;
Rows libraryRows();
Rows cookieRows();
Rows listenerRows();
Rows connectionRows();
Rows operationRows();
Rows questionRows();
Rows callbackRows();
Rows endpointRows();
Rows featureRows();
Rows sessionRows();

} // namespace harness

#endif
