// SPDX-License-Identifier: MIT OR Apache-2.0
#include "arguments.h"

namespace harness {

namespace {

// That of a program which lacks a member of the first version.
const qdtls_endpoint_callbacks *tooSmall(Probe &p)
{
    p.endpointCallbacks.size = offsetof(qdtls_endpoint_callbacks, release);
    return &p.endpointCallbacks;
}

} // namespace

Rows endpointRows()
{
    return {
        ROW(qdtls_endpoint_new, "null callbacks", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.socket, nullptr, &p.out.endpoint)),
        ROW(qdtls_endpoint_new, "callbacks of another size", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (p.socket, tooSmall(p), &p.out.endpoint)),
        ROW(qdtls_endpoint_new, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.socket, &p.endpointCallbacks, nullptr)),
        ROW(qdtls_endpoint_new, "no socket", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (-1, &p.endpointCallbacks, &p.out.endpoint)),
        ROW(qdtls_endpoint_new, "a number too large", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (PTRDIFF_MAX, &p.endpointCallbacks, &p.out.endpoint)),
        ROW(qdtls_endpoint_new, "a closed socket", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (9999, &p.endpointCallbacks, &p.out.endpoint)),
        ROW(qdtls_endpoint_free, "null", 0, Nowhere, (nullptr)),

        ROW(qdtls_endpoint_listen, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.context, p.cookie)),
        ROW(qdtls_endpoint_listen, "null context", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, nullptr, p.cookie)),
        ROW(qdtls_endpoint_listen, "a context that was not prepared", QDTLS_STATUS_INVALID_ARGUMENT,
            OnEndpoint, (p.endpoint, p.context, p.cookie)),

        ROW(qdtls_endpoint_connect, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.context, &p.address, p.input, 0, &p.out.connection)),
        ROW(qdtls_endpoint_connect, "null context", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, nullptr, &p.address, p.input, 0, &p.out.connection)),
        ROW(qdtls_endpoint_connect, "a context that was not prepared",
            QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, p.context, &p.address, p.input, 0, &p.out.connection)),
        ROW(qdtls_endpoint_connect, "null address", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, p.prepared(), nullptr, p.input, 0, &p.out.connection)),
        ROW(qdtls_endpoint_connect, "port 0", QDTLS_STATUS_INVALID_ADDRESS, OnEndpoint,
            (p.endpoint, p.prepared(), &p.port0, p.input, 0, &p.out.connection)),
        ROW(qdtls_endpoint_connect, "null name", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, p.prepared(), &p.address, nullptr, 1, &p.out.connection)),
        ROW(qdtls_endpoint_connect, "no name", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, p.prepared(), &p.address, p.input, 3, &p.out.connection)),
        ROW(qdtls_endpoint_connect, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, p.prepared(), &p.address, p.input, 0, nullptr)),

        ROW(qdtls_endpoint_process, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.flag)),

        ROW(qdtls_endpoint_timeout, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.flag, &p.out.wide)),
        ROW(qdtls_endpoint_timeout, "null flag", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, nullptr, &p.out.wide)),
        ROW(qdtls_endpoint_timeout, "null time", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, &p.out.flag, nullptr)),

        ROW(qdtls_endpoint_close, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.connection)),
        ROW(qdtls_endpoint_close, "null connection", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, nullptr)),
        ROW(qdtls_endpoint_close, "a connection of the program's", QDTLS_STATUS_INVALID_ARGUMENT,
            OnEndpoint, (p.endpoint, p.connection)),

        ROW(qdtls_endpoint_set_limit, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, QDTLS_LIMIT_CONNECTIONS, 1)),
        ROW(qdtls_endpoint_set_limit, "number below", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, -1, 1)),
        ROW(qdtls_endpoint_set_limit, "number above", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, INT_MAX, 1)),
        ROW(qdtls_endpoint_set_limit, "value out of bounds", QDTLS_STATUS_INVALID_ARGUMENT,
            OnEndpoint, (p.endpoint, QDTLS_LIMIT_CONNECTIONS, 0)),

        ROW(qdtls_endpoint_count, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.size, &p.out.size)),
        ROW(qdtls_endpoint_count, "null connections", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, nullptr, &p.out.size)),
        ROW(qdtls_endpoint_count, "null handshakes", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, &p.out.size, nullptr)),

        ROW(qdtls_endpoint_last_error, "null handle and output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (nullptr, nullptr)),
        ROW(qdtls_endpoint_last_error, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, nullptr)),

        ROW(qdtls_listener_new, "callbacks without a size", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (&p.noSize, &p.out.listener)),
        ROW(qdtls_connection_new, "callbacks without a size", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (QDTLS_ROLE_CLIENT, &p.noSize, &p.out.connection)),
        ROW(qdtls_last_error, "error without a size", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (&p.errorWithoutSize)),
        ROW(qdtls_cookie_last_error, "error without a size", QDTLS_STATUS_INVALID_ARGUMENT,
            OnCookie, (p.cookie, &p.errorWithoutSize)),
        ROW(qdtls_listener_last_error, "error without a size", QDTLS_STATUS_INVALID_ARGUMENT,
            OnListener, (p.listener, &p.errorWithoutSize)),
        ROW(qdtls_connection_last_error, "error without a size", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, &p.errorWithoutSize)),
        ROW(qdtls_endpoint_last_error, "error without a size", QDTLS_STATUS_INVALID_ARGUMENT,
            OnEndpoint, (p.endpoint, &p.errorWithoutSize)),

        ROW(qdtls_connection_set_user, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p)),
        ROW(qdtls_connection_user, "null handle", 0, Nowhere, (nullptr)),
        ROW(qdtls_connection_peer, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.address)),
        ROW(qdtls_connection_peer, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),
    };
}

} // namespace harness
