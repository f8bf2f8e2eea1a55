// SPDX-License-Identifier: MIT OR Apache-2.0
//! What connections, listeners, endpoints and the process have done, counted.

use super::arguments::OutSized;
use super::connection::qdtls_connection;
use super::endpoint::qdtls_endpoint;
use super::handle::{Held, call, call_on};
use super::listener::qdtls_listener;
use crate::error::Status;
use crate::statistics::{Cookies, PROCESS, Statistics};

/// The counters of a connection since the last `qdtls_connection_init_tls`. Bytes are those of datagrams, without the
/// headers of UDP and IP.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_connection_counters {
    /// `sizeof(qdtls_connection_counters)`.
    pub size: usize,
    /// Datagrams that `send` has taken.
    pub datagrams_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// The records in them.
    pub records_sent: u64,
    /// Datagrams of the peer that the program has passed on.
    pub datagrams_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// The records that OpenSSL has got of them.
    pub records_received: u64,
    /// Bytes that were no record.
    pub dropped_malformed_bytes: u64,
    /// Records that cannot be valid where they stand, and did not reach OpenSSL.
    pub dropped_unexpected: u64,
    /// Records of handshake messages that are longer than accepted.
    pub dropped_too_long: u64,
    /// Records of application data that OpenSSL has dropped: forged, or received before (RFC 6347, 4.1.2.6).
    pub dropped_unauthentic: u64,
    /// Flights that were sent again (RFC 6347, 4.2.4).
    pub retransmissions: u64,
    /// The round trip in microseconds, as estimated in the handshake, or what it is at most; 0 if it was not measured.
    pub round_trip_us: u64,
    /// The time of the handshake in microseconds, from `qdtls_connection_start` to its end; 0 before it is complete.
    pub handshake_us: u64,
}

/// What was done with the ClientHellos of unknown clients (RFC 6347, 4.2.1).
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_cookie_counters {
    /// `sizeof(qdtls_cookie_counters)`.
    pub size: usize,
    /// Cookies sent.
    pub issued: u64,
    /// ClientHellos with a valid cookie.
    pub accepted: u64,
    /// ClientHellos with a cookie that was not valid. Each was answered with another cookie.
    pub refused: u64,
}

/// The counters of the process.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_process_counters {
    /// `sizeof(qdtls_process_counters)`.
    pub size: usize,
    /// Connections at present for which TLS is set up.
    pub connections: u64,
    /// Handshakes that have begun.
    pub handshakes_started: u64,
    /// Handshakes that have finished.
    pub handshakes_completed: u64,
    /// Handshakes that have failed. Those that the program has aborted are neither.
    pub handshakes_failed: u64,
    /// See `qdtls_cookie_counters`.
    pub cookies_issued: u64,
    /// See `qdtls_cookie_counters`.
    pub cookies_accepted: u64,
    /// See `qdtls_cookie_counters`.
    pub cookies_refused: u64,
}

/// Writes the counters of a connection to `counters`: all 0 before the first `qdtls_connection_init_tls`. They stay after the
/// connection's end. Allowed in every state and from inside callbacks. `QDTLS_STATUS_INVALID_ARGUMENT`: `counters` is null, or
/// its `size` is not set.
///
/// # Safety
/// `connection` is null or a live handle; `counters` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_statistics(
    connection: *const qdtls_connection,
    counters: *mut qdtls_connection_counters,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let counters = unsafe { OutSized::new(counters) };
    call_on("qdtls_connection_statistics", connection, |connection| {
        let statistics = connection.core.statistics();
        let value = statistics.map_or_else(qdtls_connection_counters::default, |all| (&*all).into());
        counters.write(&value, size_of::<qdtls_connection_counters>())
    })
}

/// Writes what a listener has done with cookies to `counters`. Allowed at any time. `QDTLS_STATUS_INVALID_ARGUMENT`:
/// `counters` is null, or its `size` is not set.
///
/// # Safety
/// `listener` is null or a live handle; `counters` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_statistics(
    listener: *const qdtls_listener,
    counters: *mut qdtls_cookie_counters,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let listener = unsafe { Held::of(listener) };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let counters = unsafe { OutSized::new(counters) };
    call_on("qdtls_listener_statistics", listener, |listener| {
        counters.write(&listener.core.cookies().into(), size_of::<qdtls_cookie_counters>())
    })
}

/// As `qdtls_listener_statistics`, for an endpoint.
///
/// # Safety
/// `endpoint` is null or a live handle; `counters` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_statistics(
    endpoint: *const qdtls_endpoint,
    counters: *mut qdtls_cookie_counters,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { Held::of(endpoint) };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let counters = unsafe { OutSized::new(counters) };
    call_on("qdtls_endpoint_statistics", endpoint, |endpoint| {
        counters.write(&endpoint.core.cookies().into(), size_of::<qdtls_cookie_counters>())
    })
}

/// Writes the counters of the process to `counters`, at any time and on any thread. Those of several threads may not be of
/// one moment. `QDTLS_STATUS_INVALID_ARGUMENT`: `counters` is null, or its `size` is not set.
///
/// # Safety
/// `counters` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_process_statistics(counters: *mut qdtls_process_counters) -> Status {
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let counters = unsafe { OutSized::new(counters) };
    call("qdtls_process_statistics", || {
        let value = qdtls_process_counters {
            size: size_of::<qdtls_process_counters>(),
            connections: PROCESS.associations.get(),
            handshakes_started: PROCESS.handshakes_started.get(),
            handshakes_completed: PROCESS.handshakes_completed.get(),
            handshakes_failed: PROCESS.handshakes_failed.get(),
            cookies_issued: PROCESS.cookies_issued.get(),
            cookies_accepted: PROCESS.cookies_accepted.get(),
            cookies_refused: PROCESS.cookies_refused.get(),
        };
        counters.write(&value, size_of::<qdtls_process_counters>())
    })
}

impl From<&Statistics> for qdtls_connection_counters {
    fn from(all: &Statistics) -> Self {
        let handshake = all.handshake().map_or(0, |time| time.as_micros());
        Self {
            size: size_of::<Self>(),
            datagrams_sent: all.sent.datagrams.get(),
            bytes_sent: all.sent.bytes.get(),
            records_sent: all.records_sent(),
            datagrams_received: all.received.datagrams.get(),
            bytes_received: all.received.bytes.get(),
            records_received: all.records_received(),
            dropped_malformed_bytes: all.dropped.malformed.get(),
            dropped_unexpected: all.dropped.unexpected.get(),
            dropped_too_long: all.dropped.too_long.get(),
            dropped_unauthentic: all.unauthentic(),
            retransmissions: all.retransmissions.get(),
            round_trip_us: all.round_trip_us().into(),
            handshake_us: u64::try_from(handshake).unwrap_or(u64::MAX),
        }
    }
}

impl From<&Cookies> for qdtls_cookie_counters {
    fn from(all: &Cookies) -> Self {
        Self {
            size: size_of::<Self>(),
            issued: all.issued.get(),
            accepted: all.accepted.get(),
            refused: all.refused.get(),
        }
    }
}
