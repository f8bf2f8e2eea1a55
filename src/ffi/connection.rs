// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handshake and the data of one peer.

use super::arguments::{Out, bytes, invalid, reference};
use super::callbacks::{CallbackSink, qdtls_callbacks, role};
use super::error::ErrorSlot;
use super::guard::{Handle, ask, call, call_on, give, take_back};
use crate::connection::Connection;
use crate::error::{Error, Result, Status};
use crate::openssl::ssl::{PlaintextBuffer, Ssl};
use crate::session::Session;
use openssl_sys::SSL;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;

/// One peer: settings, the handshake, and then messages. One thread at a time.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_connection {
    pub(super) core: Connection,
    pub(super) last_error: ErrorSlot,
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
    pub(super) fn session(&self) -> Result<Rc<Session>> {
        let missing = || Error::because(Status::InvalidState, "connection", "TLS is not initialised");
        self.core.session().ok_or_else(missing)
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
    call("qdtls_connection_new", || {
        // SAFETY: passed on.
        let (callbacks, connection) = unsafe { (reference(callbacks)?, Out::new(connection)?) };
        let role = role(role_number)?;
        let sink = Rc::new(CallbackSink::new(callbacks)?);
        let core = Connection::new(role, sink);
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
    // SAFETY: passed on.
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
    let context_owner = ContextOwner { context_owner, release };
    // SAFETY: live and nobody else's by the caller's promise.
    let ssl = NonNull::new(ssl).map(|raw| unsafe { Ssl::take(raw) });
    let handed_over = HandedOver { ssl, context_owner };
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_init_tls", connection, move |connection| {
            let HandedOver { ssl, context_owner } = handed_over;
            // Boxed first, so that on every way out it goes after the SSL.
            let context_owner = Box::new(context_owner);
            let ssl = ssl.ok_or_else(|| invalid("the SSL is null"))??;
            connection.core.init_tls(context_owner, ssl).map(drop)
        })
    }
}

/// What init TLS consumes. Fields are dropped in this order.
struct HandedOver {
    ssl: Option<Result<Ssl>>,
    context_owner: ContextOwner,
}

/// What has to outlive an `SSL`, as C describes it.
struct ContextOwner {
    context_owner: *mut c_void,
    release: Option<unsafe extern "C" fn(context_owner: *mut c_void)>,
}

impl Drop for ContextOwner {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the promise made to `qdtls_connection_init_tls`; this is the only call.
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
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_start", connection, |connection| {
            let need = Out::new(need)?;
            need.write(connection.core.start(bytes(datagram, length)?)? as i32);
            Ok(())
        })
    }
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
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_continue", connection, |connection| {
            let need = Out::new(need)?;
            need.write(connection.core.proceed(bytes(datagram, length)?)? as i32);
            Ok(())
        })
    }
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
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_judge_peer", connection, |connection| {
            connection.core.judge_peer(accepted != 0)
        })
    }
}

/// Ends a handshake that is in progress or whose peer was refused; the latter is sent a close_notify. From inside a
/// callback it takes effect when OpenSSL has returned.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_abort(connection: *mut qdtls_connection) -> Status {
    // SAFETY: passed on.
    unsafe { call_on("qdtls_connection_abort", connection, |connection| connection.core.abort()) }
}

/// Sends a close_notify and ends the connection. From inside a callback it takes effect when OpenSSL has returned.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_shutdown(connection: *mut qdtls_connection) -> Status {
    // SAFETY: passed on.
    unsafe { call_on("qdtls_connection_shutdown", connection, |connection| connection.core.shutdown()) }
}

/// Drops everything of the last handshake, without a word to the peer. Peer, cookie and other settings stay.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_reset(connection: *mut qdtls_connection) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_reset", connection, |connection| {
            connection.core.reset();
            Ok(())
        })
    }
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
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_timeout", connection, |connection| {
            let (running, microseconds) = (Out::new(running)?, Out::new(microseconds)?);
            let left = connection.core.time_left();
            if let Some(left) = left {
                microseconds.write(u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
            }
            running.write(left.is_some());
            Ok(())
        })
    }
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
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_handle_timeout", connection, |connection| {
            let retransmitted = Out::new(retransmitted)?;
            retransmitted.write(connection.core.handle_timeout()?);
            Ok(())
        })
    }
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
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_write", connection, |connection| {
            let written = Out::new(written)?;
            written.write(connection.core.write(bytes(message, length)?)?);
            Ok(())
        })
    }
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
    // SAFETY: passed on.
    unsafe {
        ask("qdtls_connection_read_capacity", connection, capacity, |connection| {
            connection.core.read_capacity(length)
        })
    }
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
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_connection_read", connection, |connection| {
            let (plaintext, end) = (Out::new(plaintext)?, Out::new(end)?);
            if buffer.is_null() {
                return Err(invalid("the buffer is null"));
            }
            let datagram = bytes(datagram, length)?;
            let (count, ending) = connection.core.read(datagram, PlaintextBuffer::new(buffer, capacity))?;
            let status = ending.as_ref().map_or(Status::Ok, Error::status);
            if let Some(error) = ending {
                connection.last_error.remember(error);
            }
            plaintext.write(count);
            end.write(status as i32);
            Ok(())
        })
    }
}
