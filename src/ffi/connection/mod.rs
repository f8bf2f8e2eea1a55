// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handshake and the messages of one peer.

mod queries;
mod settings;

pub use queries::*;
pub use settings::*;

use super::arguments::{In, Out, invalid, plaintext as plaintext_buffer, reference};
use super::error::ErrorSlot;
use super::handle::{Handle, Held, ask, call, call_on, give, take_back};
use super::program::{Program, qdtls_callbacks, role};
use crate::association::Association;
use crate::connection::Connection;
use crate::error::{Error, Result, Status};
use crate::openssl::ssl::Ssl;
use openssl_sys::SSL;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;

/// One peer: settings, the handshake, and then messages. One thread at a time.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_connection {
    core: Connection,
    last_error: ErrorSlot,
}

impl Handle for qdtls_connection {
    fn last_error(&self) -> &ErrorSlot {
        &self.last_error
    }

    fn let_go(&self) {
        self.core.reset();
    }
}

impl qdtls_connection {
    /// The association, for what can be asked of it.
    pub(in crate::ffi) fn association(&self) -> Result<Rc<Association>> {
        let missing = || Error::because(Status::InvalidState, "connection", "TLS is not initialised");
        self.core.association().ok_or_else(missing)
    }
}

/// Makes a connection. `role` is a `qdtls_role`.
///
/// # Safety
/// The pointers are null, or readable and writable. The handle is freed with `qdtls_connection_free`. On failure
/// `release` is not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_new(
    role_number: i32,
    callbacks: *const qdtls_callbacks,
    connection: *mut *mut qdtls_connection,
) -> Status {
    // SAFETY: null, or a structure that lives and stays as it is while this call runs (contract).
    let callbacks = unsafe { reference(callbacks) };
    // SAFETY: null, or writable until this call returns (contract).
    let connection = unsafe { Out::new(connection) };
    call("qdtls_connection_new", || {
        let (callbacks, connection) = (callbacks?, connection.require()?);
        let role = role(role_number)?;
        let core = Connection::new(role, Rc::new(Program::new(callbacks)?));
        connection.write(give(qdtls_connection { core, last_error: ErrorSlot::default() }));
        Ok(())
    })
}

/// Frees a connection, without a word to the peer; null is ignored. Allowed from inside its callbacks.
///
/// # Safety
/// `connection` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_free(connection: *mut qdtls_connection) {
    // SAFETY: null, or a live handle whose owner gives it up with this call (contract).
    unsafe { take_back("qdtls_connection_free", connection) };
}

/// Sets up TLS for the next handshake on `ssl`, fresh from `qdtls_context_new_ssl` or `SSL_new(3)` with a DTLS method:
/// renegotiation off, version at most DTLS 1.2, timers, MTU, pre-shared key callbacks, and a datagram BIO that talks
/// through the callbacks. The peer must be set.
///
/// `context_owner` is whatever has to outlive `ssl`, such as the owner of its context, or null; it is given to `release`,
/// which may be null, after `ssl` was freed.
///
/// Consumes `ssl` and `context_owner` whatever the outcome: the connection keeps both until the next
/// `qdtls_connection_init_tls`, `qdtls_connection_reset` or `qdtls_connection_free`, and on failure both are gone when
/// the call returns.
///
/// # Safety
/// `connection` is null or a live handle; `ssl` is null or a live `SSL` of the OpenSSL in use that nobody else uses;
/// `release` can be called with `context_owner` on whatever thread uses or frees the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_init_tls(
    connection: *mut qdtls_connection,
    ssl: *mut SSL,
    context_owner: *mut c_void,
    release: Option<unsafe extern "C" fn(context_owner: *mut c_void)>,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: not null where it is taken, hence live and nobody else's (contract).
    let ssl = NonNull::new(ssl).map(|raw| unsafe { Ssl::take(raw) });
    let handed_over = HandedOver { ssl, context_owner: Box::new(ContextOwner { context_owner, release }) };
    call_on("qdtls_connection_init_tls", connection, move |connection| {
        let HandedOver { context_owner, ssl } = handed_over;
        connection.core.init_tls(context_owner, ssl.ok_or_else(|| invalid("the SSL is null"))??)
    })
}

/// What init TLS consumes. Fields are dropped in this order.
struct HandedOver {
    ssl: Option<Result<Ssl>>,
    context_owner: Box<ContextOwner>,
}

/// What has to outlive an `SSL`, as C describes it.
struct ContextOwner {
    context_owner: *mut c_void,
    release: Option<unsafe extern "C" fn(context_owner: *mut c_void)>,
}

impl Drop for ContextOwner {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: it can be called with its argument by the promise made to `qdtls_connection_init_tls`; this is the
            // only call.
            unsafe { release(self.context_owner) };
        }
    }
}

/// Starts the handshake after `qdtls_connection_init_tls`. A client passes an empty datagram; a server the client's
/// first, which must carry a valid cookie when cookie parameters are set (`QDTLS_STATUS_COOKIE_REJECTED`).
///
/// Writes a `qdtls_need` to `need`. On `QDTLS_STATUS_SEND_FAILED` the handshake is in progress all the same; on any other
/// failure it has ended, and what the peer sent can be asked for until `qdtls_connection_reset`.
///
/// # Safety
/// `connection` is null or a live handle; the others are null, or readable and writable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_start(
    connection: *mut qdtls_connection,
    datagram: *const u8,
    length: usize,
    need: *mut i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable until this call returns (contract).
    let need = unsafe { Out::new(need) };
    call_on("qdtls_connection_start", connection, |connection| {
        need.require()?.write(connection.core.start(datagram.get()?)? as i32);
        Ok(())
    })
}

/// Goes on with the handshake: `datagram` is the peer's next. Results as for `qdtls_connection_start`, and
/// `QDTLS_STATUS_PEER_RESTARTED` when the client began anew.
///
/// # Safety
/// As for `qdtls_connection_start`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_continue(
    connection: *mut qdtls_connection,
    datagram: *const u8,
    length: usize,
    need: *mut i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable until this call returns (contract).
    let need = unsafe { Out::new(need) };
    call_on("qdtls_connection_continue", connection, |connection| {
        need.require()?.write(connection.core.proceed(datagram.get()?)? as i32);
        Ok(())
    })
}

/// Gives the verdict that `QDTLS_NEED_VERDICT` asks for: 0 refuses the peer, anything else accepts it. A peer that was
/// refused can be accepted by another call.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_judge_peer(
    connection: *mut qdtls_connection,
    accepted: i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_judge_peer", connection, |connection| connection.core.judge_peer(accepted != 0))
}

/// Ends a handshake that is in progress or whose peer was refused; the latter is sent a close_notify. From inside a
/// callback it takes effect when OpenSSL has returned.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_abort(connection: *mut qdtls_connection) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_abort", connection, |connection| connection.core.abort())
}

/// Sends a close_notify and ends the connection. From inside a callback it takes effect when OpenSSL has returned.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_shutdown(connection: *mut qdtls_connection) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_shutdown", connection, |connection| connection.core.shutdown())
}

/// Drops everything of the last handshake, without a word to the peer. Peer, cookie and other settings stay.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_reset(connection: *mut qdtls_connection) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_reset", connection, |connection| {
        connection.core.reset();
        Ok(())
    })
}

/// Writes to `running` whether a flight waits for its retransmission, and if so to `microseconds` the time until
/// `qdtls_connection_handle_timeout` is due (DTLSv1_get_timeout(3)).
///
/// # Safety
/// `connection` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_timeout(
    connection: *const qdtls_connection,
    running: *mut bool,
    microseconds: *mut u64,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: each is null, or writable until this call returns (contract).
    let (running, microseconds) = unsafe { (Out::new(running), Out::new(microseconds)) };
    call_on("qdtls_connection_timeout", connection, |connection| {
        let (running, microseconds) = (running.require()?, microseconds.require()?);
        let left = connection.core.time_left();
        if let Some(left) = left {
            microseconds.write(u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
        }
        running.write(left.is_some());
        Ok(())
    })
}

/// Sends the last flight again when its time has come, and writes to `retransmitted` whether it had. After twelve
/// retransmissions without an answer the handshake ends with `QDTLS_STATUS_TIMED_OUT`.
///
/// # Safety
/// `connection` is null or a live handle; `retransmitted` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_handle_timeout(
    connection: *mut qdtls_connection,
    retransmitted: *mut bool,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or writable until this call returns (contract).
    let retransmitted = unsafe { Out::new(retransmitted) };
    call_on("qdtls_connection_handle_timeout", connection, |connection| {
        retransmitted.require()?.write(connection.core.handle_timeout()?);
        Ok(())
    })
}

/// Encrypts one message of 1 to 16384 bytes into one record, sends it as one datagram, and writes the length of the
/// message to `written`.
///
/// After `QDTLS_STATUS_SEND_FAILED`, `QDTLS_STATUS_SEND_REFUSED`, `QDTLS_STATUS_MESSAGE_TOO_LARGE` and
/// `QDTLS_STATUS_MESSAGE_EMPTY` the connection is as usable as before; after `QDTLS_STATUS_CONNECTION_FAILED` it has
/// ended.
///
/// # Safety
/// `connection` is null or a live handle; the others are null, or readable and writable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_write(
    connection: *mut qdtls_connection,
    message: *const u8,
    length: usize,
    written: *mut usize,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let message = unsafe { In::new(message, length) };
    // SAFETY: null, or writable until this call returns (contract).
    let written = unsafe { Out::new(written) };
    call_on("qdtls_connection_write", connection, |connection| {
        written.require()?.write(connection.core.write(message.get()?)?);
        Ok(())
    })
}

/// Writes to `capacity` the size of buffer that `qdtls_connection_read` asks for with a datagram of `length` bytes:
/// as many bytes, and more only right after a handshake.
///
/// # Safety
/// `connection` is null or a live handle; `capacity` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_read_capacity(
    connection: *const qdtls_connection,
    length: usize,
    capacity: *mut usize,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { connection.as_ref() };
    // SAFETY: null, or writable until this call returns (contract).
    let capacity = unsafe { Out::new(capacity) };
    ask("qdtls_connection_read_capacity", connection, capacity, |connection| {
        connection.core.read_capacity(length)
    })
}

/// Decrypts a datagram. The plaintexts of all its records are written to `buffer` in their order, one after the other,
/// and their total length, which may be 0, to `plaintext`: what is not valid is dropped (RFC 6347, 4.1.2.7).
///
/// To `end` goes `QDTLS_STATUS_OK`, or how the connection ended: `QDTLS_STATUS_CLOSED`, `QDTLS_STATUS_ALERT_RECEIVED` or
/// `QDTLS_STATUS_CONNECTION_FAILED`, with details in `qdtls_connection_last_error`. A client that began anew from the same
/// address makes the call fail with `QDTLS_STATUS_PEER_RESTARTED`.
///
/// # Safety
/// `connection` is null or a live handle; the others are null, or readable and writable for their lengths. The buffer
/// does not overlap the datagram.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_read(
    connection: *mut qdtls_connection,
    datagram: *const u8,
    length: usize,
    buffer: *mut u8,
    capacity: usize,
    plaintext: *mut usize,
    end: *mut i32,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable for `capacity` bytes, which this call has to itself (contract).
    let buffer = unsafe { plaintext_buffer(buffer, capacity) };
    // SAFETY: each is null, or writable until this call returns (contract).
    let (plaintext, end) = unsafe { (Out::new(plaintext), Out::new(end)) };
    call_on("qdtls_connection_read", connection, |connection| {
        let (plaintext, end) = (plaintext.require()?, end.require()?);
        let (count, ending) = connection.core.read(datagram.get()?, buffer.ok_or_else(no_buffer)?)?;
        let status = ending.as_ref().map_or(Status::Ok, Error::status);
        if let Some(error) = ending {
            connection.last_error.remember(error);
        }
        plaintext.write(count);
        end.write(status as i32);
        Ok(())
    })
}

#[cold]
fn no_buffer() -> Error {
    invalid("the buffer is null")
}
