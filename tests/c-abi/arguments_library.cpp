// SPDX-License-Identifier: MIT OR Apache-2.0
#include "arguments.h"

namespace harness {

Rows libraryRows()
{
    return {
        ROW(qdtls_abi_version, "none", QDTLS_ABI_VERSION, Nowhere, ()),
        ROW(qdtls_version, "none", true, Nowhere, ()),

        ROW(qdtls_last_error, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread, (nullptr)),

        ROW(qdtls_openssl_attach, "both null", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr)),
        ROW(qdtls_openssl_attach, "null libssl", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, BIO_s_mem())),
        ROW(qdtls_openssl_attach, "null libcrypto", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (DTLS_client_method(), nullptr)),
        ROW(qdtls_openssl_attach, "foreign addresses", QDTLS_STATUS_OPENSSL_MISMATCH, OnThread,
            (&p, &p)),

        ROW(qdtls_context_prepare, "null context", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr)),
        ROW(qdtls_context_prepare, "TLS context (E4)", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.tlsContext)),
        ROW(qdtls_context_new_ssl, "null context", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.ssl)),
        ROW(qdtls_context_new_ssl, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.context, nullptr)),
        ROW(qdtls_context_retention, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (false, nullptr)),

        ROW(qdtls_set_event_handler, "null handler", QDTLS_STATUS_OK, Nowhere,
            (nullptr, nullptr, QDTLS_LEVEL_DEBUG)),
        ROW(qdtls_set_event_handler, "level below", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr, 0)),
        ROW(qdtls_set_event_handler, "level above", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, nullptr, 5)),
        ROW(qdtls_set_logger, "null logger", QDTLS_STATUS_OK, Nowhere, (nullptr)),

        ROW(qdtls_setting_set, "number below", QDTLS_STATUS_INVALID_ARGUMENT, OnThread, (-1, 1000)),
        ROW(qdtls_setting_set, "number above", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (INT_MAX, 1000)),
        ROW(qdtls_setting_set, "value out of bounds", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (QDTLS_SETTING_COOKIE_SECRET_SIZE, 15)),
        ROW(qdtls_setting_get, "number below", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (-1, &p.out.wide)),
        ROW(qdtls_setting_get, "number above", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (INT_MAX, &p.out.wide)),
        ROW(qdtls_setting_get, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (QDTLS_SETTING_STRICT_ALERTS, nullptr)),

        ROW(qdtls_cookie_rotate, "none", QDTLS_STATUS_OK, Nowhere, ()),
        ROW(qdtls_cookie_revoke, "none", QDTLS_STATUS_OK, Nowhere, ()),

        ROW(qdtls_wipe, "null memory", QDTLS_STATUS_INVALID_ARGUMENT, OnThread, (nullptr, 1)),
        ROW(qdtls_wipe, "impossible length (A25)", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.input, SIZE_MAX)),
        ROW(qdtls_wipe, "null and empty", QDTLS_STATUS_OK, Nowhere, (nullptr, 0)),

        ROW(qdtls_bio_set_connected, "null BIO", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.input, sizeof p.input)),
        ROW(qdtls_bio_set_connected, "null address", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.bio, nullptr, 16)),
        ROW(qdtls_bio_set_connected, "empty address", QDTLS_STATUS_INVALID_ADDRESS, OnThread,
            (p.bio, nullptr, 0)),
        ROW(qdtls_bio_set_connected, "impossible length", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (p.bio, p.input, SIZE_MAX)),

        ROW(qdtls_send_result_of_errno, "none", QDTLS_SEND_RESULT_FAILED, Nowhere, (0)),
        ROW(qdtls_send_result_of_errno, "out of range", QDTLS_SEND_RESULT_FAILED, Nowhere,
            (INT_MIN)),

        ROW(qdtls_psk_reply_set, "null reply", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.input, 1, p.input, 1)),
    };
}

} // namespace harness
