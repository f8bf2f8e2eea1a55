// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queries of a connection.

use super::qdtls_connection;
use crate::association::VerifyError;
use crate::connection::may_resume;
use crate::error::Status;
use crate::ffi::arguments::{Out, OutArray, OutBytes, OutSized};
use crate::ffi::error::qdtls_error;
use crate::ffi::handle::{Held, ask, call_on, write_last_error};
use crate::ffi::session::qdtls_session;
use crate::panic::guard;
use openssl_sys::{SSL_CIPHER, X509, stack_st_X509};
use std::ptr;

/// An error that OpenSSL found in the peer's certificate chain (X509_STORE_CTX_get_error(3)).
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_verify_error {
    /// The X509_V_ERR_* number.
    pub code: i32,
    /// The depth in the chain; 0 is the peer's own certificate.
    pub depth: i32,
}

/// Writes the `qdtls_state` to `state`. Allowed in every state and from inside callbacks.
///
/// # Safety
/// `connection` is null or a live handle; `state` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_state(
    connection: *const qdtls_connection,
    state: *mut i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { connection.as_ref() };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let state = unsafe { Out::new(state) };
    ask("qdtls_connection_state", connection, state, |connection| connection.core.state() as i32)
}

/// Returns whether the state is `QDTLS_STATE_COMPLETE`; false for null. Allowed in every state and from inside callbacks.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_is_complete(connection: *const qdtls_connection) -> bool {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { connection.as_ref() };
    let is_complete = |connection: &qdtls_connection| connection.core.is_complete();
    guard("qdtls_connection_is_complete", false, || connection.is_some_and(is_complete))
}

/// Writes to `allowed` whether to enable resumption with `qdtls_connection_set_resumption`. `wanted`: the program
/// would like to; `verifies_peer`: it requests the peer's certificate; `has_certificate`: it has a certificate
/// itself; 0 means no. The answer is no for a server that authenticates its clients by certificate or pre-shared key,
/// because a resumed handshake shows neither (RFC 5077, 3.1). Allowed in every state.
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { connection.as_ref() };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let allowed = unsafe { Out::new(allowed) };
    ask("qdtls_connection_may_resume", connection, allowed, |connection| {
        may_resume(connection.core.role(), wanted != 0, verifies_peer != 0, has_certificate != 0)
    })
}

/// Writes the peer's certificate to `certificate`, or null if the peer has shown none in this handshake: a session that
/// is offered for resumption counts when the handshake has finished with it. The connection owns the certificate; it is
/// valid until the next call that continues the handshake, or until the connection ends, is set up again or is freed.
/// TLS must be set up; otherwise, so also after the end of the connection, `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `connection` is null or a live handle; `certificate` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_peer_certificate(
    connection: *const qdtls_connection,
    certificate: *mut *mut X509,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let certificate = unsafe { Out::new(certificate) };
    call_on("qdtls_connection_peer_certificate", connection, |connection| {
        certificate.require()?.write(connection.association()?.ssl().peer_certificate());
        Ok(())
    })
}

/// Writes the peer's certificate chain to `chain`, or null if there is none. As with SSL_get_peer_cert_chain(3), the
/// chain does not include the peer's own certificate on a server. Validity as for `qdtls_connection_peer_certificate`.
/// TLS must be set up; otherwise `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `connection` is null or a live handle; `chain` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_peer_chain(
    connection: *const qdtls_connection,
    chain: *mut *mut stack_st_X509,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let chain = unsafe { Out::new(chain) };
    call_on("qdtls_connection_peer_chain", connection, |connection| {
        chain.require()?.write(connection.association()?.ssl().peer_chain());
        Ok(())
    })
}

/// Writes the cipher in use to `cipher`, or null before one is negotiated (SSL_get_current_cipher(3)); with a session
/// offered for resumption, until the handshake has finished. The object is static. TLS must be set up; otherwise
/// `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `connection` is null or a live handle; `cipher` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_cipher(
    connection: *const qdtls_connection,
    cipher: *mut *const SSL_CIPHER,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let cipher = unsafe { Out::new(cipher) };
    call_on("qdtls_connection_cipher", connection, |connection| {
        cipher.require()?.write(connection.association()?.ssl().cipher());
        Ok(())
    })
}

/// Writes the `qdtls_protocol` in use to `protocol` (SSL_version(3)). TLS must be set up; otherwise
/// `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `connection` is null or a live handle; `protocol` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_protocol(
    connection: *const qdtls_connection,
    protocol: *mut i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let protocol = unsafe { Out::new(protocol) };
    call_on("qdtls_connection_protocol", connection, |connection| {
        protocol.require()?.write(connection.association()?.ssl().protocol() as i32);
        Ok(())
    })
}

/// Writes the negotiated application protocol (RFC 7301) to `name` and its length in bytes to `length`, 0 for none.
/// The name is not null-terminated. Validity as for `qdtls_connection_peer_certificate`. TLS must be set up; otherwise
/// `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `connection` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_alpn(
    connection: *const qdtls_connection,
    name: *mut *const u8,
    length: *mut usize,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
    let (name, length) = unsafe { (Out::new(name), Out::new(length)) };
    call_on("qdtls_connection_alpn", connection, |connection| {
        let (name, length) = (name.require()?, length.require()?);
        let association = connection.association()?;
        let protocol = association.ssl().alpn();
        name.write(protocol.as_ptr());
        length.write(protocol.len());
        Ok(())
    })
}

/// Copies the session that a client can resume later to `session`, at most `capacity` bytes, its length to `length`,
/// and the server's lifetime hint in seconds (RFC 5077, 3.3) to `lifetime_hint`. The length is 0 if the server sent
/// no ticket. The session is the output of i2d_SSL_SESSION(3) and holds secret keys: wipe it after use
/// (`qdtls_wipe`). `QDTLS_STATUS_BUFFER_TOO_SMALL`: the reason gives the size needed. TLS must be set up; otherwise
/// `QDTLS_STATUS_INVALID_STATE`.
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable for `capacity` bytes until this call returns (this function's contract).
    let session = unsafe { OutBytes::new(session, capacity) };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
    let (length, lifetime_hint) = unsafe { (Out::new(length), Out::new(lifetime_hint)) };
    call_on("qdtls_connection_session", connection, |connection| {
        let (length, lifetime_hint) = (length.require()?, lifetime_hint.require()?);
        let found = connection.association()?.ssl().session()?;
        match &found {
            Some(found) => found.read_asn1(|asn1| session.write(asn1, length))??,
            None => session.write(&[], length)?,
        }
        lifetime_hint.write(found.map_or(0, |found| found.lifetime_hint()));
        Ok(())
    })
}

/// Writes the session that a client can resume later to `session`, or null if the server sent no ticket. It is not
/// encoded, and outlives the connection. The caller owns it and frees it with `qdtls_session_free`. After a handshake
/// that has resumed a session without renewing it, it is the one that was offered. TLS must be set up; otherwise
/// `QDTLS_STATUS_INVALID_STATE`.
///
/// # Safety
/// `connection` is null or a live handle; `session` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_keep_session(
    connection: *const qdtls_connection,
    session: *mut *mut qdtls_session,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let session = unsafe { Out::new(session) };
    call_on("qdtls_connection_keep_session", connection, |connection| {
        let session = session.require()?;
        let found = connection.association()?.ssl().session()?;
        session.write(found.map_or(Ok(ptr::null_mut()), qdtls_session::give)?);
        Ok(())
    })
}

/// Writes the errors that OpenSSL found in the peer's certificate chain to `errors`, at most `capacity` elements, and
/// the total number to `count`. After a resumed handshake they include the result stored in the session
/// (SSL_get_verify_result(3)). `errors` may be null if `capacity` is 0. TLS must be set up; otherwise
/// `QDTLS_STATUS_INVALID_STATE`.
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable for `capacity` elements until this call returns (this function's contract).
    let errors = unsafe { OutArray::new(errors, capacity) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let count = unsafe { Out::new(count) };
    call_on("qdtls_connection_verify_errors", connection, |connection| {
        let count = count.require()?;
        let as_c = |error: VerifyError| qdtls_verify_error { code: error.code, depth: error.depth };
        let association = connection.association()?;
        association.verify_errors(|found| errors.write(found.map(as_c)))?;
        count.write(association.verify_errors(|found| found.count()));
        Ok(())
    })
}

/// Writes the last error of `connection` to `error`; its status is `QDTLS_STATUS_OK` if there was none. For a null handle it
/// is that of `qdtls_last_error`. `QDTLS_STATUS_INVALID_ARGUMENT`: `error` is null, or its `size` is not set. A successful
/// call does not clear it. Allowed in every state and from inside callbacks.
///
/// # Safety
/// `connection` is null or a live handle; `error` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_last_error(
    connection: *const qdtls_connection,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { connection.as_ref() };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let error = unsafe { OutSized::new(error) };
    write_last_error("qdtls_connection_last_error", connection, error)
}
