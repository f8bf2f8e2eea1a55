// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection: the handshake and the messages of one peer.

mod parameters;
mod queries;
mod settings;

pub use parameters::*;
pub use queries::*;
pub use settings::*;

use super::arguments::{In, Out, invalid, plaintext as plaintext_buffer};
use super::error::ErrorSlot;
use super::handle::{Handle, HandlePlace, Held, ask, call, call_on, take_back};
use super::program::{self, Program, qdtls_callbacks, role};
use crate::association::Association;
use crate::connection::Connection;
use crate::error::{Error, Result, Status};
use crate::memory::{self, Rc};
use crate::openssl::ssl::Ssl;
use crate::peer::PeerAddress;
use openssl_sys::SSL;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};

/// A connection to one peer: its settings, its handshake and its messages. One thread at a time may use it.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_connection {
    pub(super) core: Connection,
    last_error: ErrorSlot,
    /// What the program has attached to it.
    user: Cell<*mut c_void>,
    /// An endpoint's connections are its own.
    belongs_to_endpoint: bool,
}

impl Handle for qdtls_connection {
    fn last_error(&self) -> &ErrorSlot {
        &self.last_error
    }

    fn peer(&self) -> Option<PeerAddress> {
        self.core.settings().peer()
    }

    fn let_go(&self) {
        self.core.reset();
    }
}

impl qdtls_connection {
    pub(super) fn new(core: Connection, belongs_to_endpoint: bool) -> Self {
        Self { core, last_error: ErrorSlot::default(), user: Cell::new(ptr::null_mut()), belongs_to_endpoint }
    }

    /// The association, for queries.
    pub(in crate::ffi) fn association(&self) -> Result<Rc<Association>> {
        let missing = || Error::because(Status::InvalidState, "connection", "TLS is not initialised");
        self.core.association().ok_or_else(missing)
    }
}

/// Creates a connection in `QDTLS_STATE_NOT_STARTED` and writes it to `connection`. `role_number` is a `qdtls_role`.
/// The callbacks are copied, and `send` is required: otherwise `QDTLS_STATUS_INVALID_ARGUMENT`. The caller owns the
/// handle and frees it with `qdtls_connection_free`. `release` is not called when this function fails.
///
/// # Safety
/// `callbacks` is null or readable for its `size`, `connection` null or writable. The callbacks can be called with their `user`
/// until `release` was called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_new(
    role_number: i32,
    callbacks: *const qdtls_callbacks,
    connection: *mut *mut qdtls_connection,
) -> Status {
    // SAFETY: null, or readable for its size (this function's contract).
    let callbacks = unsafe { program::callbacks(callbacks) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let connection = unsafe { Out::new(connection) };
    call("qdtls_connection_new", || {
        let (callbacks, connection) = (callbacks?, connection.require()?);
        let role = role(role_number)?;
        let place = HandlePlace::new("qdtls_connection_new")?;
        let core = Connection::new(role, Program::host(callbacks)?);
        connection.write(place.give(qdtls_connection::new(core, false)));
        Ok(())
    })
}

/// Frees a connection and sends nothing to the peer; use `qdtls_connection_shutdown` or `qdtls_connection_abort`
/// first to send a close_notify. Null is ignored. Allowed in every state and from inside the connection's callbacks. An
/// endpoint's connection is reset and stays the endpoint's, which frees it; use `qdtls_endpoint_close`.
///
/// # Safety
/// `connection` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_free(connection: *mut qdtls_connection) {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let is_endpoints =
        unsafe { connection.as_ref() }.is_some_and(|connection| connection.belongs_to_endpoint);
    if is_endpoints {
        // SAFETY: a live handle that only this thread uses (this function's contract).
        unsafe { qdtls_connection_reset(connection) };
        return;
    }
    // SAFETY: null, or a live handle that its owner does not use again (this function's contract).
    unsafe { take_back("qdtls_connection_free", connection) };
}

/// Attaches a pointer of the program's to a connection, such as its own record of the peer. The library only keeps it.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_set_user(
    connection: *mut qdtls_connection,
    user: *mut c_void,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_set_user", connection, |connection| {
        connection.user.set(user);
        Ok(())
    })
}

/// Returns the pointer of `qdtls_connection_set_user`; null before, and for a null handle.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_user(connection: *const qdtls_connection) -> *mut c_void {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    unsafe { connection.as_ref() }.map_or(ptr::null_mut(), |connection| connection.user.get())
}

/// Sets up TLS for the next handshake on `ssl`, which is fresh from `qdtls_context_new_ssl` or SSL_new(3) with a DTLS
/// method: no renegotiation, at most DTLS 1.2, timers, MTU, pre-shared key callbacks, and a datagram BIO that sends
/// through the callbacks. Requires `QDTLS_STATE_NOT_STARTED` and a peer (`qdtls_connection_set_peer`); otherwise
/// `QDTLS_STATUS_INVALID_STATE`. `QDTLS_STATUS_INVALID_ARGUMENT`: `ssl` is null, does not use a DTLS method, uses the
/// method of the other role, or its `SSL_CTX` was not prepared (`qdtls_context_prepare`).
/// `QDTLS_STATUS_INIT_FAILED`: an OpenSSL function failed. `QDTLS_STATUS_OPENSSL_MISSING`: no OpenSSL is
/// attached; `ssl` is then not freed.
///
/// `context_owner` is an object that has to outlive `ssl`, such as the owner of its `SSL_CTX`, or null. The library
/// passes it to `release` once, after freeing `ssl`. `release` may be null.
///
/// Takes ownership of `ssl` and `context_owner` in every case. On failure both are released before the call returns.
/// Otherwise the connection keeps them until it ends, is set up again, or is freed; after a failed handshake, until
/// `qdtls_connection_reset` or one of these.
///
/// # Safety
/// `connection` is null or a live handle. `ssl` is null or a live `SSL` of the OpenSSL in use that no other code
/// uses. `release` can be called with `context_owner` on every thread that uses or frees the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_init_tls(
    connection: *mut qdtls_connection,
    ssl: *mut SSL,
    context_owner: *mut c_void,
    release: Option<unsafe extern "C" fn(context_owner: *mut c_void)>,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    // SAFETY: not null inside `map`, hence live and used by no other code (this function's contract).
    let ssl = NonNull::new(ssl).map(|raw| unsafe { Ssl::take(raw) });
    let context_owner = memory::boxed(ContextOwner { context_owner, release });
    let handed_over = HandedOver { ssl, context_owner };
    call_on("qdtls_connection_init_tls", connection, move |connection| {
        let HandedOver { context_owner, ssl } = handed_over;
        let ssl = ssl.ok_or_else(|| invalid("the SSL is null"))??;
        match context_owner {
            Ok(context_owner) => connection.core.init_tls(context_owner, ssl),
            Err(_released_last) => {
                drop(ssl);
                Err(Error::no_memory("init TLS"))
            }
        }
    })
}

/// The objects that init TLS takes ownership of. `ssl` is dropped first: the context owner has to outlive it.
struct HandedOver {
    ssl: Option<Result<Ssl>>,
    context_owner: std::result::Result<Box<ContextOwner>, ContextOwner>,
}

/// An object that has to outlive an `SSL`, and C's function to release it.
struct ContextOwner {
    context_owner: *mut c_void,
    release: Option<unsafe extern "C" fn(context_owner: *mut c_void)>,
}

impl Drop for ContextOwner {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the contract of `qdtls_connection_init_tls`, the only function that makes this value, allows
            // the call with this argument on this thread. A value is dropped once, so this is the only call.
            unsafe { release(self.context_owner) };
        }
    }
}

/// Starts the handshake. Requires a successful `qdtls_connection_init_tls` since the last handshake; otherwise
/// `QDTLS_STATUS_INVALID_STATE`. A client passes an empty datagram. A server passes the client's ClientHello, which
/// must carry a valid cookie if cookie parameters are set (RFC 6347, 4.2.1).
///
/// A datagram of protected records is ignored, and the state stays `QDTLS_STATE_NOT_STARTED`: it is left over from a
/// connection, such as the answer to its close_notify.
///
/// On success writes a `qdtls_need` to `need`; the state is `QDTLS_STATE_IN_PROGRESS`. The state is the same after
/// `QDTLS_STATUS_SEND_FAILED` (a flight could not be sent; the timer retransmits it) and
/// `QDTLS_STATUS_OUT_OF_MEMORY`. After `QDTLS_STATUS_ABORTED` the connection is as the callback left it. After any
/// other error of the handshake, such as `QDTLS_STATUS_HANDSHAKE_FAILED`, `QDTLS_STATUS_ALERT_RECEIVED`,
/// `QDTLS_STATUS_CLOSED` or `QDTLS_STATUS_PSK_REJECTED`, the state is `QDTLS_STATE_NOT_STARTED`, and the queries
/// still answer until `qdtls_connection_reset` or the next `qdtls_connection_init_tls`.
///
/// `QDTLS_STATUS_COOKIE_REJECTED`, or an error in checking the cookie, resets the connection: call
/// `qdtls_connection_init_tls` before the next start.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let need = unsafe { Out::new(need) };
    call_on("qdtls_connection_start", connection, |connection| {
        need.require()?.write(connection.core.start(datagram.get()?)? as i32);
        Ok(())
    })
}

/// Continues the handshake with the peer's next datagram. Requires `QDTLS_STATE_IN_PROGRESS`; otherwise
/// `QDTLS_STATUS_INVALID_STATE`. Invalid records are dropped without an error (RFC 6347, 4.1.2.7).
///
/// On success writes a `qdtls_need` to `need`. Errors and the states after them are those of
/// `qdtls_connection_start`, `QDTLS_STATUS_TIMED_OUT`, and `QDTLS_STATUS_BUSY` from inside a callback, without effect. On a server with cookie parameters,
/// `QDTLS_STATUS_PEER_RESTARTED` reports a client that restarted from the same address (RFC 6347, 4.2.8): the
/// connection is reset.
///
/// While the verdict on the peer is awaited, OpenSSL is not called. Whole records of the datagram are kept for the
/// first `qdtls_connection_read`, up to 64 KiB in total; datagrams beyond that are lost.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let need = unsafe { Out::new(need) };
    call_on("qdtls_connection_continue", connection, |connection| {
        need.require()?.write(connection.core.proceed(datagram.get()?)? as i32);
        Ok(())
    })
}

/// Accepts or refuses the peer after `QDTLS_NEED_VERDICT`: 0 refuses it (`QDTLS_STATE_PEER_VERIFICATION_FAILED`), any
/// other value accepts it (`QDTLS_STATE_COMPLETE`). A refused peer can be accepted by a later call. In any other
/// state: `QDTLS_STATUS_INVALID_STATE`. Sends nothing.
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

/// Ends a handshake that is in progress or whose peer was refused; in any other state `QDTLS_STATUS_INVALID_STATE`.
/// If OpenSSL has finished the handshake, the peer is sent a close_notify. The state is `QDTLS_STATE_NOT_STARTED`
/// when the call returns. Called from inside a callback, it makes the running operation return
/// `QDTLS_STATUS_ABORTED`; a close_notify is sent when OpenSSL has returned.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_abort(connection: *mut qdtls_connection) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_abort", connection, |connection| connection.core.abort())
}

/// Sends a close_notify (RFC 5246, 7.2.1) and ends the connection. Requires `QDTLS_STATE_COMPLETE`; otherwise
/// `QDTLS_STATUS_INVALID_STATE`. The state is `QDTLS_STATE_NOT_STARTED` when the call returns. That the close_notify
/// could not be sent is no error: the connection has ended, and nothing could be done about it. From inside a callback it behaves like `qdtls_connection_abort`.
///
/// # Safety
/// `connection` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_connection_shutdown(connection: *mut qdtls_connection) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { Held::of(connection) };
    call_on("qdtls_connection_shutdown", connection, |connection| connection.core.shutdown())
}

/// Discards the handshake or connection and sends nothing to the peer. Allowed in every state, which is
/// `QDTLS_STATE_NOT_STARTED` afterwards. The settings stay. From inside a callback, the running operation returns
/// `QDTLS_STATUS_ABORTED`.
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

/// Writes to `running` whether the retransmission timer is running and, if so, to `microseconds` the time until
/// `qdtls_connection_handle_timeout` is due, 0 if it is overdue (DTLSv1_get_timeout(3)). The timer runs only while a
/// handshake waits for the peer: not within a call that moves the handshake on, so ask again after it. Allowed in
/// every state and from inside callbacks.
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
    // SAFETY: each is null, or writable until this call returns (this function's contract).
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

/// Retransmits the last flight if its timer has expired, and writes to `retransmitted` whether it did
/// (DTLSv1_handle_timeout(3)). Requires `QDTLS_STATE_IN_PROGRESS`; otherwise `QDTLS_STATUS_INVALID_STATE`. After
/// twelve retransmissions without an answer the handshake ends with `QDTLS_STATUS_TIMED_OUT`, and with
/// `QDTLS_STATUS_HANDSHAKE_FAILED` if the system's clock, which OpenSSL's timer uses, was set back by more than the
/// longest interval. Other errors and the states after them are those of `qdtls_connection_start`, and
/// `QDTLS_STATUS_BUSY` from inside a callback.
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
    // SAFETY: null, or writable until this call returns (this function's contract).
    let retransmitted = unsafe { Out::new(retransmitted) };
    call_on("qdtls_connection_handle_timeout", connection, |connection| {
        retransmitted.require()?.write(connection.core.handle_timeout()?);
        Ok(())
    })
}

/// Encrypts one message into one record, sends it as one datagram, and writes the length of the message to `written`.
/// Requires `QDTLS_STATE_COMPLETE`; otherwise `QDTLS_STATUS_INVALID_STATE`. A message has 1 to 16384 bytes, or less if a
/// max_fragment_length (RFC 6066, 4) was negotiated or the context limits records (SSL_CTX_set_max_send_fragment(3)).
///
/// `QDTLS_STATUS_MESSAGE_EMPTY`, `QDTLS_STATUS_MESSAGE_TOO_LARGE`, `QDTLS_STATUS_BUSY` and
/// `QDTLS_STATUS_OUT_OF_MEMORY`: nothing was sent. `QDTLS_STATUS_SEND_REFUSED` (also for a lost datagram) and
/// `QDTLS_STATUS_SEND_FAILED`: the message was not sent, and the connection is unaffected.
/// `QDTLS_STATUS_CONNECTION_FAILED`: the connection has ended.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let message = unsafe { In::new(message, length) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let written = unsafe { Out::new(written) };
    call_on("qdtls_connection_write", connection, |connection| {
        written.require()?.write(connection.core.write(message.get()?)?);
        Ok(())
    })
}

/// Writes to `capacity` the size of the buffer that `qdtls_connection_read` requires for a datagram of `length`
/// bytes: `length`, plus the data that arrived during the handshake and has not been read. Allowed in every state.
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
    // SAFETY: null, or writable until this call returns (this function's contract).
    let capacity = unsafe { Out::new(capacity) };
    ask("qdtls_connection_read_capacity", connection, capacity, |connection| {
        connection.core.read_capacity(length)
    })
}

/// Decrypts a datagram. Writes the plaintexts of all its records to `buffer`, concatenated in order, and their total
/// length, which may be 0, to `plaintext`. The first call also returns the data that arrived during the handshake.
/// Invalid records are dropped (RFC 6347, 4.1.2.7). Requires `QDTLS_STATE_COMPLETE`; otherwise
/// `QDTLS_STATUS_INVALID_STATE`. `QDTLS_STATUS_BUFFER_TOO_SMALL`: `capacity` is below
/// `qdtls_connection_read_capacity`.
///
/// Writes to `end` `QDTLS_STATUS_OK`, or how the datagram ended the connection: `QDTLS_STATUS_CLOSED`,
/// `QDTLS_STATUS_ALERT_RECEIVED` or `QDTLS_STATUS_CONNECTION_FAILED`, with details in `qdtls_connection_last_error`.
/// The state is then `QDTLS_STATE_NOT_STARTED`. A close_notify of the peer is answered with one before the call returns
/// (RFC 5246, 7.2.1).
///
/// The call itself fails with `QDTLS_STATUS_PEER_RESTARTED` if a client restarted from the same address (RFC 6347,
/// 4.2.8; servers with cookie parameters only), and with `QDTLS_STATUS_CONNECTION_FAILED` if OpenSSL could not
/// continue; both end the connection. `QDTLS_STATUS_BUSY` and `QDTLS_STATUS_OUT_OF_MEMORY` do not.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable for `capacity` bytes that no other code uses during this call (this function's
    // contract).
    let buffer = unsafe { plaintext_buffer(buffer, capacity) };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
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
