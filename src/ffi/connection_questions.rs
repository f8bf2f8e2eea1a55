// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a connection can be asked.

use super::arguments::{Out, copy_out, invalid};
use super::connection::qdtls_connection;
use super::error::qdtls_error;
use super::guard::{ask, call_on};
use crate::error::Status;
use openssl_sys::{SSL_CIPHER, X509, stack_st_X509};
use std::ptr::NonNull;
use std::slice;

/// An error that OpenSSL found in the peer's certificate chain (X509_STORE_CTX_get_error(3)).
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_verify_error {
    /// The X509_V_ERR_* number.
    pub code: i32,
    /// Depth in the chain, 0 for the peer's own certificate.
    pub depth: i32,
}

/// Writes the `qdtls_state` to `state`. Allowed from inside callbacks.
///
/// # Safety
/// `connection` is null or a live handle; `state` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_state(
    connection: *const qdtls_connection,
    state: *mut i32,
) -> Status {
    // SAFETY: passed on.
    unsafe { ask("qdtls_connection_state", connection, state, |connection| connection.core.state() as i32) }
}

/// Writes to `allowed` whether sessions should be resumed, for `qdtls_connection_set_resumption`. `wanted` says whether
/// the program would like it, `verifies_peer` whether it asks for the peer's certificate, and `has_certificate` whether
/// it has one itself; 0 means no. Never for a server that knows its clients by certificate or pre-shared key: a resumed
/// handshake has neither.
///
/// # Safety
/// `connection` is null or a live handle; `allowed` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_may_resume(
    connection: *const qdtls_connection,
    wanted: i32,
    verifies_peer: i32,
    has_certificate: i32,
    allowed: *mut bool,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        ask("qdtls_connection_may_resume", connection, allowed, |connection| {
            connection.core.may_resume(wanted != 0, verifies_peer != 0, has_certificate != 0)
        })
    }
}

/// Writes the peer's certificate to `certificate`, or null when it has shown none. Borrowed until the connection starts,
/// ends or is freed.
///
/// # Safety
/// `connection` is null or a live handle; `certificate` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_peer_certificate(
    connection: *const qdtls_connection,
    certificate: *mut *mut X509,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_peer_certificate", connection, |connection| {
            Out::new(certificate)?.write(connection.session()?.ssl().peer_certificate());
            Ok(())
        })
    }
}

/// Writes the peer's certificate chain to `chain` as SSL_get_peer_cert_chain(3) has it: to a server without the peer's
/// own certificate. Null when there is none. Borrowed as `qdtls_connection_peer_certificate`'s.
///
/// # Safety
/// `connection` is null or a live handle; `chain` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_peer_chain(
    connection: *const qdtls_connection,
    chain: *mut *mut stack_st_X509,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_peer_chain", connection, |connection| {
            Out::new(chain)?.write(connection.session()?.ssl().peer_chain());
            Ok(())
        })
    }
}

/// Writes the cipher in use to `cipher`, or null before there is one. Static.
///
/// # Safety
/// `connection` is null or a live handle; `cipher` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_cipher(
    connection: *const qdtls_connection,
    cipher: *mut *const SSL_CIPHER,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_cipher", connection, |connection| {
            Out::new(cipher)?.write(connection.session()?.ssl().cipher());
            Ok(())
        })
    }
}

/// Writes the `qdtls_protocol` in use to `protocol`.
///
/// # Safety
/// `connection` is null or a live handle; `protocol` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_protocol(
    connection: *const qdtls_connection,
    protocol: *mut i32,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_protocol", connection, |connection| {
            Out::new(protocol)?.write(connection.session()?.ssl().protocol() as i32);
            Ok(())
        })
    }
}

/// Writes the application protocol both sides agreed on (RFC 7301) to `name` and `length`; length 0 when none. Not
/// terminated, borrowed as `qdtls_connection_peer_certificate`'s.
///
/// # Safety
/// `connection` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_alpn(
    connection: *const qdtls_connection,
    name: *mut *const u8,
    length: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_alpn", connection, |connection| {
            let (name, length) = (Out::new(name)?, Out::new(length)?);
            let session = connection.session()?;
            let protocol = session.ssl().alpn();
            name.write(protocol.as_ptr());
            length.write(protocol.len());
            Ok(())
        })
    }
}

/// Writes the session that a client can resume later to `session`, of `capacity` bytes, its length to `length`, and the
/// server's hint how many seconds it is good for to `lifetime_hint`. Length 0 when the server gave no ticket.
/// `QDTLS_STATUS_BUFFER_TOO_SMALL` tells the length needed in its reason; the peer's certificate is most of it.
///
/// # Safety
/// `connection` is null or a live handle; `session` is null or writable for `capacity` bytes, the others null or
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_session(
    connection: *const qdtls_connection,
    session: *mut u8,
    capacity: usize,
    length: *mut usize,
    lifetime_hint: *mut u64,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_session", connection, |connection| {
            let (length, lifetime_hint) = (Out::new(length)?, Out::new(lifetime_hint)?);
            let ticket = connection.session()?.ssl().session_ticket();
            let asn1 = ticket.as_ref().map_or([].as_slice(), |ticket| ticket.asn1.as_slice());
            copy_out(asn1, session, capacity, length)?;
            lifetime_hint.write(ticket.map_or(0, |ticket| ticket.lifetime_hint));
            Ok(())
        })
    }
}

/// Writes what OpenSSL found wrong with the peer's chain to `errors`, at most `capacity` of them, and the number of all
/// to `count`.
///
/// # Safety
/// `connection` is null or a live handle; `errors` is null or writable for `capacity` elements, `count` null or
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_verify_errors(
    connection: *const qdtls_connection,
    errors: *mut qdtls_verify_error,
    capacity: usize,
    count: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_verify_errors", connection, |connection| {
            let count = Out::new(count)?;
            let found = connection.session()?.verify_errors();
            if capacity > 0 {
                let places = NonNull::new(errors).ok_or_else(|| invalid("the array is null"))?;
                let places = slice::from_raw_parts_mut(
                    places.as_ptr().cast::<std::mem::MaybeUninit<qdtls_verify_error>>(),
                    capacity.min(found.len()),
                );
                for (place, error) in places.iter_mut().zip(&found) {
                    place.write(qdtls_verify_error { code: error.code, depth: error.depth });
                }
            }
            count.write(found.len());
            Ok(())
        })
    }
}

/// Writes the last error of `connection` to `error`.
///
/// # Safety
/// `connection` is null or a live handle; `error` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_last_error(
    connection: *const qdtls_connection,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_last_error", connection, |connection| {
            Out::new(error)?.write(connection.last_error.read());
            Ok(())
        })
    }
}
