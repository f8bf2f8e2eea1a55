// SPDX-License-Identifier: MIT OR Apache-2.0
#include "arguments.h"

namespace harness {

Rows cookieRows()
{
    return {
        ROW(qdtls_cookie_new, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread, (nullptr)),
        ROW(qdtls_cookie_free, "null handle", 0, Nowhere, (nullptr)),

        ROW(qdtls_cookie_set_parameters, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, 4, p.input, 1)),
        ROW(qdtls_cookie_set_parameters, "null secret", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, 4, nullptr, 1)),
        ROW(qdtls_cookie_set_parameters, "empty secret", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, 4, nullptr, 0)),
        ROW(qdtls_cookie_set_parameters, "impossible length", QDTLS_STATUS_INVALID_ARGUMENT,
            OnCookie, (p.cookie, 4, p.input, SIZE_MAX)),
        ROW(qdtls_cookie_set_parameters, "hash below", QDTLS_STATUS_UNSUPPORTED_HASH, OnCookie,
            (p.cookie, -1, p.input, 1)),
        ROW(qdtls_cookie_set_parameters, "hash above", QDTLS_STATUS_UNSUPPORTED_HASH, OnCookie,
            (p.cookie, INT_MAX, p.input, 1)),

        ROW(qdtls_cookie_parameters, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.number, p.out.bytes, 64, &p.out.size)),
        ROW(qdtls_cookie_parameters, "null hash", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, nullptr, p.out.bytes, 64, &p.out.size)),
        ROW(qdtls_cookie_parameters, "null secret", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.out.number, nullptr, 64, &p.out.size)),
        ROW(qdtls_cookie_parameters, "null length", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.out.number, p.out.bytes, 64, nullptr)),
        ROW(qdtls_cookie_parameters, "no capacity", QDTLS_STATUS_BUFFER_TOO_SMALL, OnCookie,
            (p.cookie, &p.out.number, nullptr, 0, &p.out.size)),

        ROW(qdtls_cookie_secret_length, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.size)),
        ROW(qdtls_cookie_secret_length, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, nullptr)),

        ROW(qdtls_cookie_generate, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.address, p.input, 1, 0, p.out.bytes, 32, &p.out.size)),
        ROW(qdtls_cookie_generate, "null address", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, nullptr, p.input, 1, 0, p.out.bytes, 32, &p.out.size)),
        ROW(qdtls_cookie_generate, "null hello", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.address, nullptr, 1, 0, p.out.bytes, 32, &p.out.size)),
        ROW(qdtls_cookie_generate, "empty hello", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.address, nullptr, 0, 0, p.out.bytes, 32, &p.out.size)),
        ROW(qdtls_cookie_generate, "no hello", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.address, p.input, sizeof p.input, 0, p.out.bytes, 32, &p.out.size)),
        ROW(qdtls_cookie_generate, "null length", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.address, p.input, 1, 0, p.out.bytes, 32, nullptr)),

        ROW(qdtls_cookie_verify, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.address, p.input, 1, 0, &p.out.flag)),
        ROW(qdtls_cookie_verify, "null address", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, nullptr, p.input, 1, 0, &p.out.flag)),
        ROW(qdtls_cookie_verify, "null hello", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.address, nullptr, 1, 0, &p.out.flag)),
        ROW(qdtls_cookie_verify, "no hello", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.address, p.input, sizeof p.input, 0, &p.out.flag)),
        ROW(qdtls_cookie_verify, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, &p.address, p.input, 1, 0, nullptr)),

        ROW(qdtls_cookie_last_error, "null handle and output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (nullptr, nullptr)),
        ROW(qdtls_cookie_last_error, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnCookie,
            (p.cookie, nullptr)),
    };
}

Rows listenerRows()
{
    return {
        ROW(qdtls_listener_new, "null callbacks", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.out.listener)),
        ROW(qdtls_listener_new, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (&p.callbacks, nullptr)),
        ROW(qdtls_listener_new, "null send", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (&p.noSend, &p.out.listener)),
        ROW(qdtls_listener_free, "null handle", 0, Nowhere, (nullptr)),

        ROW(qdtls_listener_set_cookie, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, p.cookie)),
        ROW(qdtls_listener_set_cookie, "null cookie", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, nullptr)),

        ROW(qdtls_listener_verify, "null handle", QDTLS_STATUS_INVALID_ARGUMENT, OnThread,
            (nullptr, &p.address, p.input, 1, &p.out.flag)),
        ROW(qdtls_listener_verify, "null address", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, nullptr, p.input, 1, &p.out.flag)),
        ROW(qdtls_listener_verify, "unknown family", QDTLS_STATUS_INVALID_ADDRESS, OnListener,
            (p.listener, &p.family5, p.input, 1, &p.out.flag)),
        ROW(qdtls_listener_verify, "port 0", QDTLS_STATUS_INVALID_ADDRESS, OnListener,
            (p.listener, &p.port0, p.input, 1, &p.out.flag)),
        ROW(qdtls_listener_verify, "null datagram", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, &p.address, nullptr, 1, &p.out.flag)),
        ROW(qdtls_listener_verify, "impossible length", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, &p.address, p.input, SIZE_MAX, &p.out.flag)),
        ROW(qdtls_listener_verify, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, &p.address, p.input, 1, nullptr)),

        ROW(qdtls_listener_last_error, "null handle and output", QDTLS_STATUS_INVALID_ARGUMENT,
            OnThread, (nullptr, nullptr)),
        ROW(qdtls_listener_last_error, "null output", QDTLS_STATUS_INVALID_ARGUMENT, OnListener,
            (p.listener, nullptr)),
    };
}

} // namespace harness
