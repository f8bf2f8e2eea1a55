// SPDX-License-Identifier: MIT OR Apache-2.0
#include "arguments.h"

namespace harness {

Rows featureRows()
{
    return {
        ROW(qdtls_context_select_by_name, "null context", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr)),
        ROW(qdtls_context_select_by_name, "a context that was not prepared",
            QDTLS_STATUS_INVALID_ARGUMENT, OnThread, (p.context)),

        ROW(qdtls_connection_set_srtp, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.unknownProfile, 1)),
        ROW(qdtls_connection_set_srtp, "null profiles", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 1)),
        ROW(qdtls_connection_set_srtp, "unknown profile", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, &p.unknownProfile, 1)),
        ROW(qdtls_connection_set_srtp, "impossible length", QDTLS_STATUS_INVALID_ARGUMENT,
            OnConnection, (p.connection, &p.unknownProfile, SIZE_MAX)),
        ROW(qdtls_connection_set_srtp, "none", QDTLS_STATUS_OK, Nowhere,
            (p.connection, nullptr, 0)),

        ROW(qdtls_connection_set_accept_verified, "null handle", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (nullptr, 1)),

        ROW(qdtls_connection_parameters, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.parameters)),
        ROW(qdtls_connection_parameters, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.parameters)),

        ROW(qdtls_connection_export, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.input, 1, nullptr, 0, p.out.bytes, 16)),
        ROW(qdtls_connection_export, "null label", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, 1, nullptr, 0, p.out.bytes, 16)),
        ROW(qdtls_connection_export, "empty label", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 0, nullptr, 0, p.out.bytes, 16)),
        ROW(qdtls_connection_export, "null context", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 1, nullptr, 1, p.out.bytes, 16)),
        ROW(qdtls_connection_export, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 1, nullptr, 0, nullptr, 16)),
        ROW(qdtls_connection_export, "no output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, p.input, 1, nullptr, 0, p.out.bytes, 0)),
        ROW(qdtls_connection_export, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, p.input, 1, nullptr, 0, p.out.bytes, 16)),

        ROW(qdtls_connection_srtp, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.srtpKeys)),
        ROW(qdtls_connection_srtp, "wrong state", QDTLS_STATUS_INVALID_STATE, OnConnection,
            (p.connection, &p.out.srtpKeys)),

        ROW(qdtls_connection_alerts, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.number, &p.out.number)),
        ROW(qdtls_connection_alerts, "null sent", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr, &p.out.number)),
        ROW(qdtls_connection_alerts, "null received", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, &p.out.number, nullptr)),

        ROW(qdtls_connection_statistics, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.counters)),
        ROW(qdtls_connection_statistics, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, nullptr)),
        ROW(qdtls_connection_statistics, "no size", QDTLS_STATUS_INVALID_ARGUMENT, OnConnection,
            (p.connection, &p.countersWithoutSize)),
        ROW(qdtls_listener_statistics, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.cookieCounters)),
        ROW(qdtls_listener_statistics, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, nullptr)),
        ROW(qdtls_listener_statistics, "no size", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, &p.cookieCountersWithoutSize)),
        ROW(qdtls_endpoint_statistics, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.cookieCounters)),
        ROW(qdtls_endpoint_statistics, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, nullptr)),
        ROW(qdtls_endpoint_statistics, "no size", QDTLS_STATUS_INVALID_ARGUMENT, OnEndpoint,
            (p.endpoint, &p.cookieCountersWithoutSize)),
        ROW(qdtls_process_statistics, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr)),
        ROW(qdtls_process_statistics, "no size", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (&p.processCountersWithoutSize)),
    };
}

} // namespace harness
