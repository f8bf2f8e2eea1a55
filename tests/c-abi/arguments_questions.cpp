// SPDX-License-Identifier: MIT OR Apache-2.0
#include "arguments.h"

namespace harness {

// Questions to a connection whose TLS is not initialised.
Rows questionRows()
{
    return {
        ROW(qdtls_connection_state, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.number)),
        ROW(qdtls_connection_state, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),

        ROW(qdtls_connection_is_complete, "null handle", false, Nowhere, (nullptr)),
        ROW(qdtls_connection_is_complete, "wrong state", false, Nowhere, (p.connection)),

        ROW(qdtls_connection_may_resume, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 1, 0, 1, &p.out.flag)),
        ROW(qdtls_connection_may_resume, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, 1, 0, 1, nullptr)),

        ROW(qdtls_connection_peer_certificate, "null handle", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (nullptr, &p.out.certificate)),
        ROW(qdtls_connection_peer_certificate, "null output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, nullptr)),
        ROW(qdtls_connection_peer_certificate, "wrong state", QDTLS_STATUS_INVALID_STATE,
            OnConnection, (p.connection, &p.out.certificate)),

        ROW(qdtls_connection_peer_chain, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.chain)),
        ROW(qdtls_connection_peer_chain, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),
        ROW(qdtls_connection_peer_chain, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.chain)),

        ROW(qdtls_connection_cipher, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.cipher)),
        ROW(qdtls_connection_cipher, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),
        ROW(qdtls_connection_cipher, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.cipher)),

        ROW(qdtls_connection_protocol, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.number)),
        ROW(qdtls_connection_protocol, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),
        ROW(qdtls_connection_protocol, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.number)),

        ROW(qdtls_connection_alpn, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.name, &p.out.size)),
        ROW(qdtls_connection_alpn, "null name", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, &p.out.size)),
        ROW(qdtls_connection_alpn, "null length", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, &p.out.name, nullptr)),
        ROW(qdtls_connection_alpn, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.name, &p.out.size)),

        ROW(qdtls_connection_session, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.out.bytes, 256, &p.out.size, &p.out.wide)),
        ROW(qdtls_connection_session, "null length", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.out.bytes, 256, nullptr, &p.out.wide)),
        ROW(qdtls_connection_session, "null lifetime", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.out.bytes, 256, &p.out.size, nullptr)),
        ROW(qdtls_connection_session, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, p.out.bytes, 256, &p.out.size, &p.out.wide)),

        ROW(qdtls_connection_verify_errors, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.verifyError, 1, &p.out.size)),
        ROW(qdtls_connection_verify_errors, "null output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, &p.out.verifyError, 1, nullptr)),
        ROW(qdtls_connection_verify_errors, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.verifyError, 1, &p.out.size)),

        ROW(qdtls_connection_last_error, "null handle and output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (nullptr, nullptr)),
        ROW(qdtls_connection_last_error, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),
    };
}

// Qt's callbacks have no status: 0 or -1 refuses. qt_callbacks.cpp calls them with foreign objects.
Rows callbackRows()
{
    return {
        ROW(q_generate_cookie_callback, "null SSL", 0, Nowhere,
            (nullptr, p.out.bytes, &p.out.length32)),
        ROW(q_verify_cookie_callback, "null SSL", 0, Nowhere, (nullptr, p.input, 32)),
        ROW(q_X509DtlsCallback, "null context", 0, Nowhere, (0, nullptr)),
        ROW(q_PSK_client_callback, "null SSL", 0, Nowhere,
            (nullptr, nullptr, p.out.text(), 100, p.out.bytes, 100)),
        ROW(q_PSK_server_callback, "null SSL", 0, Nowhere, (nullptr, nullptr, p.out.bytes, 100)),
        ROW(q_dgram_read, "null BIO", -1, Nowhere, (nullptr, p.out.text(), 100)),
        ROW(q_dgram_write, "null BIO", -1, Nowhere, (nullptr, "text", 4)),
        ROW(q_dgram_puts, "null BIO", -1, Nowhere, (nullptr, "text")),
        ROW(q_dgram_ctrl, "null BIO", 0, Nowhere, (nullptr, BIO_CTRL_FLUSH, 0, nullptr)),
        ROW(q_dgram_create, "null BIO", 0, Nowhere, (nullptr)),
        ROW(q_dgram_destroy, "null BIO", 0, Nowhere, (nullptr)),
    };
}

} // namespace harness
