// SPDX-License-Identifier: MIT OR Apache-2.0
#include "arguments.h"

namespace harness {

Rows sessionRows()
{
    return {
        ROW(qdtls_session_decode, "null bytes", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 1, &p.out.session)),
        ROW(qdtls_session_decode, "no bytes", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 0, &p.out.session)),
        ROW(qdtls_session_decode, "no session", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.input, sizeof p.input, &p.out.session)),
        ROW(qdtls_session_decode, "impossible length", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.input, SIZE_MAX, &p.out.session)),
        ROW(qdtls_session_decode, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.input, sizeof p.input, nullptr)),

        ROW(qdtls_session_encode, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.out.bytes, 256, &p.out.size, &p.out.wide)),
        ROW(qdtls_session_free, "null handle", 0, Nowhere, (nullptr)),

        ROW(qdtls_connection_offer_session, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr)),
        ROW(qdtls_connection_offer_session, "null session", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, nullptr)),

        ROW(qdtls_connection_keep_session, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.session)),
        ROW(qdtls_connection_keep_session, "null output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, nullptr)),
        ROW(qdtls_connection_keep_session, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.session)),
    };
}

} // namespace harness
