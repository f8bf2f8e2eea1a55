// SPDX-License-Identifier: MIT OR Apache-2.0
#include "arguments.h"

namespace harness {

Rows connectionRows()
{
    return {
        ROW(qdtls_connection_new, "null callbacks", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (QDTLS_ROLE_CLIENT, nullptr, &p.out.connection)),
        ROW(qdtls_connection_new, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (QDTLS_ROLE_CLIENT, &p.callbacks, nullptr)),
        ROW(qdtls_connection_new, "null send", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (QDTLS_ROLE_CLIENT, &p.noSend, &p.out.connection)),
        ROW(qdtls_connection_new, "role below", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (-1, &p.callbacks, &p.out.connection)),
        ROW(qdtls_connection_new, "role above", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (2, &p.callbacks, &p.out.connection)),
        ROW(qdtls_connection_free, "null handle", 0, Nowhere, (nullptr)),

        ROW(qdtls_connection_set_peer, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.address)),
        ROW(qdtls_connection_set_peer, "null address", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),
        ROW(qdtls_connection_set_peer, "unknown family", QDTLS_STATUS_INVALID_ADDRESS, OnConnection,
            (p.connection, &p.family5)),
        ROW(qdtls_connection_set_peer, "port 0", QDTLS_STATUS_INVALID_ADDRESS, OnConnection,
            (p.connection, &p.port0)),
        ROW(qdtls_connection_set_peer, "unspecified address", QDTLS_STATUS_INVALID_ADDRESS,
            OnConnection, (p.connection, &p.unspecified)),

        ROW(qdtls_connection_set_mtu_hint, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 1500)),
        ROW(qdtls_connection_set_mtu_hint, "too small", QDTLS_STATUS_INVALID_MTU, OnConnection,
            (p.connection, 255)),

        ROW(qdtls_connection_set_server_name, "null handle", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (nullptr, p.input, 1)),
        ROW(qdtls_connection_set_server_name, "null name", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, nullptr, 1)),
        ROW(qdtls_connection_set_server_name, "zero byte", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, p.input, 1)),
        ROW(qdtls_connection_set_server_name, "no name", QDTLS_STATUS_OK, Nowhere,
            (p.connection, nullptr, 0)),

        ROW(qdtls_connection_set_alpn, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr, 0)),
        ROW(qdtls_connection_set_alpn, "null list", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 1)),
        ROW(qdtls_connection_set_alpn, "malformed list", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, p.input, 1)),
        ROW(qdtls_connection_set_alpn, "no list", QDTLS_STATUS_OK, Nowhere,
            (p.connection, nullptr, 0)),

        ROW(qdtls_connection_set_resumption, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 1, nullptr, 0)),
        ROW(qdtls_connection_set_resumption, "null session", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, 1, nullptr, 1)),
        ROW(qdtls_connection_set_resumption, "no session", QDTLS_STATUS_OK, Nowhere,
            (p.connection, 1, nullptr, 0)),

        ROW(qdtls_connection_set_cookie, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.cookie)),
        ROW(qdtls_connection_set_cookie, "null cookie", QDTLS_STATUS_OK, Nowhere,
            (p.connection, nullptr)),

        ROW(qdtls_connection_init_tls, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr, nullptr, nullptr)),
        ROW(qdtls_connection_init_tls, "null SSL", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, nullptr, nullptr)),
    };
}

// The connection's TLS is not initialised: whatever else is right, the state is not.
Rows operationRows()
{
    return {
        ROW(qdtls_connection_start, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr, 0, &p.out.number)),
        ROW(qdtls_connection_start, "null datagram", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 1, &p.out.number)),
        ROW(qdtls_connection_start, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 0, nullptr)),
        ROW(qdtls_connection_start, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, nullptr, 0, &p.out.number)),

        ROW(qdtls_connection_continue, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr, 0, &p.out.number)),
        ROW(qdtls_connection_continue, "null datagram", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 1, &p.out.number)),
        ROW(qdtls_connection_continue, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 0, nullptr)),
        ROW(qdtls_connection_continue, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, nullptr, 0, &p.out.number)),

        ROW(qdtls_connection_judge_peer, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 1)),
        ROW(qdtls_connection_judge_peer, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, 1)),
        ROW(qdtls_connection_abort, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr)),
        ROW(qdtls_connection_abort, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection)),
        ROW(qdtls_connection_shutdown, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr)),
        ROW(qdtls_connection_shutdown, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection)),
        ROW(qdtls_connection_reset, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr)),
        ROW(qdtls_connection_reset, "nothing to reset", QDTLS_STATUS_OK, Nowhere, (p.connection)),

        ROW(qdtls_connection_timeout, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.flag, &p.out.wide)),
        ROW(qdtls_connection_timeout, "null running", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, &p.out.wide)),
        ROW(qdtls_connection_timeout, "null microseconds", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, &p.out.flag, nullptr)),

        ROW(qdtls_connection_handle_timeout, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.flag)),
        ROW(qdtls_connection_handle_timeout, "null output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, nullptr)),
        ROW(qdtls_connection_handle_timeout, "wrong state (S1)", QDTLS_STATUS_INVALID_STATE,
            OnConnection, (p.connection, &p.out.flag)),

        ROW(qdtls_connection_write, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.input, 1, &p.out.size)),
        ROW(qdtls_connection_write, "null message", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 1, &p.out.size)),
        ROW(qdtls_connection_write, "impossible length", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, p.input, SIZE_MAX, &p.out.size)),
        ROW(qdtls_connection_write, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 1, nullptr)),
        ROW(qdtls_connection_write, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, p.input, 1, &p.out.size)),

        ROW(qdtls_connection_read_capacity, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 1, &p.out.size)),
        ROW(qdtls_connection_read_capacity, "null output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, 1, nullptr)),

        ROW(qdtls_connection_read, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.input, 1, p.out.bytes, 256, &p.out.size, &p.out.number)),
        ROW(qdtls_connection_read, "null datagram", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 1, p.out.bytes, 256, &p.out.size, &p.out.number)),
        ROW(qdtls_connection_read, "null buffer", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 1, nullptr, 256, &p.out.size, &p.out.number)),
        ROW(qdtls_connection_read, "null length", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 1, p.out.bytes, 256, nullptr, &p.out.number)),
        ROW(qdtls_connection_read, "null end", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 1, p.out.bytes, 256, &p.out.size, nullptr)),
        ROW(qdtls_connection_read, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, p.input, 1, p.out.bytes, 256, &p.out.size, &p.out.number)),
    };
}

} // namespace harness
