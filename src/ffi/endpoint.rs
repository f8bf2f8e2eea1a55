// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many connections on one UDP socket.

use super::address::qdtls_address;
use super::arguments::{In, Out, OutSized, invalid, reference, sized};
use super::connection::qdtls_connection;
use super::cookie::qdtls_cookie;
use super::error::{ErrorSlot, qdtls_error};
use super::handle::{Handle, HandlePlace, Held, call, call_on, look_at, take_back, write_last_error};
use super::program::{ask_for_context, ask_for_psk, qdtls_psk_reply, qdtls_psk_request};
use crate::connection::Connection;
use crate::endpoint::{Endpoint, Limit, Peer, Program};
use crate::error::{Error, Result, Status};
use crate::host::{Psk, PskRequest, ServerName};
use crate::memory::Rc;
use crate::openssl::context::Context;
use crate::os::udp::Udp;
use openssl_sys::SSL_CTX;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::NonNull;

/// The callbacks of an endpoint, copied when it is created. The library calls them inside `qdtls_endpoint_process` and
/// `qdtls_endpoint_connect`, on the thread that called these. They may use the connection and any other one, close them,
/// and free the endpoint. They must not throw or longjmp. Any of them may be null.
///
/// A connection belongs to the endpoint. It is live from its first callback until `ended` has returned, or until
/// `qdtls_endpoint_close` or `qdtls_endpoint_free`. One that the program ends itself, as by `qdtls_connection_shutdown`, is
/// freed by the next `qdtls_endpoint_process`, or by the running one when the callback has returned; `ended` is not called.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_endpoint_callbacks {
    /// `sizeof(qdtls_endpoint_callbacks)`: a library that has more callbacks takes the others for null.
    pub size: usize,
    /// The first argument of every callback.
    pub user: *mut c_void,
    /// A message: the plaintext of all records of a datagram. The bytes are valid during the call. A few that have come
    /// together are decrypted, and counted, before the first of them is handed over; a connection that the program ends
    /// meanwhile gets no more of its own.
    pub received: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            connection: *mut qdtls_connection,
            message: *const u8,
            length: usize,
        ),
    >,
    /// The handshake is complete: messages can be exchanged.
    pub connected: Option<unsafe extern "C" fn(user: *mut c_void, connection: *mut qdtls_connection)>,
    /// The handshake has failed, or the connection has ended. `status` says how, such as `QDTLS_STATUS_CLOSED`, and
    /// `qdtls_connection_last_error` the details. The last callback of a connection; the queries still answer.
    pub ended:
        Option<unsafe extern "C" fn(user: *mut c_void, connection: *mut qdtls_connection, status: i32)>,
    /// Sets a connection up before its handshake, by `qdtls_connection_set_user`, `_set_alpn`, `_set_mtu_hint` and
    /// `_set_resumption`. 0 goes on; any other number refuses the client, which gets no answer, or makes
    /// `qdtls_endpoint_connect` fail.
    pub prepare: Option<unsafe extern "C" fn(user: *mut c_void, connection: *mut qdtls_connection) -> i32>,
    /// Judges the peer's certificate after the handshake: 0 refuses it, any other number accepts it. Null: accepted if
    /// OpenSSL found no error in it (`qdtls_connection_verify_errors`). With `SSL_VERIFY_NONE` it looks for none.
    pub judge: Option<unsafe extern "C" fn(user: *mut c_void, connection: *mut qdtls_connection) -> i32>,
    /// As in `qdtls_callbacks`.
    pub psk: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            request: *const qdtls_psk_request,
            reply: *mut qdtls_psk_reply,
        ),
    >,
    /// Called once, as the last callback, when the endpoint was freed and no call of it runs.
    pub release: Option<unsafe extern "C" fn(user: *mut c_void)>,
    /// As in `qdtls_callbacks`.
    pub server_name: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            name: *const u8,
            length: usize,
            context: *mut *mut SSL_CTX,
        ) -> i32,
    >,
}

/// Connections on one UDP socket, as a server, as a client, or both: it reads the socket, finds the connection of each
/// datagram by the peer's address, answers unknown clients with cookies (RFC 6347, 4.2.1), and keeps the timers. The
/// program waits until the socket can be read, or for `qdtls_endpoint_timeout`, and calls `qdtls_endpoint_process`. One
/// thread at a time may use an endpoint and its connections.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_endpoint {
    pub(super) core: Endpoint<CProgram>,
    last_error: ErrorSlot,
}

impl Handle for qdtls_endpoint {
    fn last_error(&self) -> &ErrorSlot {
        &self.last_error
    }

    fn let_go(&self) {
        self.core.release();
    }
}

impl Peer for qdtls_connection {
    fn connection(&self) -> &Connection {
        &self.core
    }
}

/// The C program.
pub(super) struct CProgram(qdtls_endpoint_callbacks);

/// A connection as C holds it.
fn as_c(peer: &qdtls_connection) -> *mut qdtls_connection {
    std::ptr::from_ref(peer).cast_mut()
}

impl Program for CProgram {
    type Peer = qdtls_connection;

    fn wrap(&self, connection: Connection) -> Option<Rc<qdtls_connection>> {
        Some(Rc::place()?.fill(qdtls_connection::new(connection, true)))
    }

    fn prepare(&self, peer: &qdtls_connection) -> bool {
        // SAFETY: callable with `user` until `release` (the contract of `qdtls_endpoint_new`); the handle outlives the call.
        self.0.prepare.is_none_or(|prepare| unsafe { prepare(self.0.user, as_c(peer)) } == 0)
    }

    fn judge(&self, peer: &qdtls_connection) -> Option<bool> {
        // SAFETY: callable with `user` until `release` (the contract of `qdtls_endpoint_new`); the handle outlives the call.
        self.0.judge.map(|judge| unsafe { judge(self.0.user, as_c(peer)) } != 0)
    }

    fn connected(&self, peer: &qdtls_connection) {
        if let Some(connected) = self.0.connected {
            // SAFETY: callable with `user` until `release` (the contract of `qdtls_endpoint_new`); the handle outlives the
            // call.
            unsafe { connected(self.0.user, as_c(peer)) };
        }
    }

    fn received(&self, peer: &qdtls_connection, message: &[u8]) {
        if let Some(received) = self.0.received {
            // SAFETY: callable with `user` until `release` (the contract of `qdtls_endpoint_new`); handle and message
            // outlive the call.
            unsafe { received(self.0.user, as_c(peer), message.as_ptr(), message.len()) };
        }
    }

    fn ended(&self, peer: &qdtls_connection, error: Error) {
        let Some(ended) = self.0.ended else { return };
        let status = error.status();
        peer.last_error().remember(error);
        // SAFETY: callable with `user` until `release` (the contract of `qdtls_endpoint_new`); the handle outlives the call.
        unsafe { ended(self.0.user, as_c(peer), status as i32) };
    }

    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk> {
        // SAFETY: callable with `user` until `release` (the contract of `qdtls_endpoint_new`).
        self.0.psk.and_then(|ask| unsafe { ask_for_psk(ask, self.0.user, request) })
    }

    fn select_context(&self, name: &[u8]) -> ServerName {
        let Some(ask) = self.0.server_name else { return ServerName::Keep };
        // SAFETY: callable with `user` until `release` (the contract of `qdtls_endpoint_new`).
        unsafe { ask_for_context(ask, self.0.user, name) }
    }
}

impl Drop for CProgram {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: callable with `user` (the contract of `qdtls_endpoint_new`), once: this is the only call, on drop.
            unsafe { release(self.0.user) };
        }
    }
}

/// Creates an endpoint on a UDP socket that is bound or connected, and writes it to `endpoint`. On POSIX systems `socket`
/// is a file descriptor, on Windows a `SOCKET`. It becomes non-blocking, and on Linux joins incoming datagrams
/// (`UDP_GRO`): only the endpoint reads it from now on. The program closes it after the endpoint. The callbacks are
/// copied; their `release` is not called when this function fails. The caller owns the endpoint and frees it with
/// `qdtls_endpoint_free`. `QDTLS_STATUS_INVALID_ARGUMENT`: a null pointer, the size of the callbacks, or no UDP socket.
///
/// # Safety
/// `callbacks` is null or readable for its size; `endpoint` is null or writable. The callbacks can be called with their
/// `user` until `release` was called. The socket stays open until the endpoint was freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_new(
    socket: isize,
    callbacks: *const qdtls_endpoint_callbacks,
    endpoint: *mut *mut qdtls_endpoint,
) -> Status {
    let least = offset_of!(qdtls_endpoint_callbacks, release) + size_of::<usize>();
    // SAFETY: null, or readable for its size (this function's contract). Its members are numbers, pointers and optional
    // functions, for which zero is valid.
    let callbacks = unsafe { sized(callbacks, least) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let endpoint = unsafe { Out::new(endpoint) };
    call("qdtls_endpoint_new", || {
        let (callbacks, endpoint) = (callbacks?, endpoint.require()?);
        let place = HandlePlace::new("qdtls_endpoint_new")?;
        // SAFETY: open until the endpoint was freed (this function's contract), which drops the value.
        let socket = unsafe { Udp::new(socket) };
        let socket = socket.map_err(|error| {
            Error::because(Status::InvalidArgument, "qdtls_endpoint_new", format_args!("{error}"))
        })?;
        let core = Endpoint::new(socket, || CProgram(callbacks))?;
        endpoint.write(place.give(qdtls_endpoint { core, last_error: ErrorSlot::default() }));
        Ok(())
    })
}

/// Frees an endpoint with its connections. Those that are complete are closed by a close_notify. Null is ignored.
/// Allowed from inside its callbacks; `ended` is not called.
///
/// # Safety
/// `endpoint` is null or a live handle, which is not used again; nor are its connections.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_free(endpoint: *mut qdtls_endpoint) {
    // SAFETY: null, or a live handle that its owner does not use again (this function's contract).
    unsafe { take_back("qdtls_endpoint_free", endpoint) };
}

/// Serves clients from now on: answers their hellos with cookies of these parameters, or with the default ones
/// (`qdtls_cookie_new`) if `cookie` is null, and starts handshakes on `context`, which was prepared by
/// `qdtls_context_prepare`; otherwise `QDTLS_STATUS_INVALID_ARGUMENT`. The endpoint refers to the context, and copies the
/// cookie parameters. A later call replaces both for new clients.
///
/// # Safety
/// `endpoint` is null or a live handle, `context` null or a live `SSL_CTX` of the OpenSSL in use, `cookie` null or a live
/// handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_listen(
    endpoint: *mut qdtls_endpoint,
    context: *mut SSL_CTX,
    cookie: *const qdtls_cookie,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { Held::of(endpoint) };
    // SAFETY: null, or a live handle (this function's contract); only its cells change, on this thread.
    let cookie = unsafe { cookie.as_ref() };
    call_on("qdtls_endpoint_listen", endpoint, |endpoint| {
        // SAFETY: null, or live (this function's contract).
        let context = unsafe { share(context) }?;
        endpoint.core.listen(context, cookie.map(qdtls_cookie::key).unwrap_or_default());
        Ok(())
    })
}

/// Starts a handshake with the server at `address`, and writes the connection to `connection`. `name` is the server's
/// name, which is sent (RFC 6066, 3) and which its certificate must have if the context verifies
/// (SSL_set1_host(3)); with `length` 0 none. `context` is as for `qdtls_endpoint_listen`. A connected socket takes the
/// address of its peer only.
///
/// `QDTLS_STATUS_INVALID_STATE`: there is a connection with this peer. `QDTLS_STATUS_INVALID_ADDRESS`,
/// `QDTLS_STATUS_INVALID_ARGUMENT`: address, context or name cannot be used. `QDTLS_STATUS_ABORTED`: `prepare` refused.
/// Other errors are those of `qdtls_connection_init_tls` and `qdtls_connection_start`. After an error there is no
/// connection.
///
/// # Safety
/// `endpoint` is null or a live handle, `context` null or a live `SSL_CTX` of the OpenSSL in use; the others are null, or
/// readable and writable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_connect(
    endpoint: *mut qdtls_endpoint,
    context: *mut SSL_CTX,
    address: *const qdtls_address,
    name: *const u8,
    length: usize,
    connection: *mut *mut qdtls_connection,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { Held::of(endpoint) };
    // SAFETY: null, or a structure that is live and not written during this call (this function's contract).
    let address = unsafe { reference(address) };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let name = unsafe { In::new(name, length) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let connection = unsafe { Out::new(connection) };
    call_on("qdtls_endpoint_connect", endpoint, |endpoint| {
        let connection = connection.require()?;
        // SAFETY: null, or live (this function's contract).
        let context = unsafe { share(context) }?;
        let peer = endpoint.core.connect(&context, address?.to_peer()?, name.get()?)?;
        connection.write(as_c(&peer));
        Ok(())
    })
}

/// # Safety
/// `context` is null or a live `SSL_CTX` of the OpenSSL in use.
unsafe fn share(context: *mut SSL_CTX) -> Result<Context> {
    let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
    // SAFETY: not null, hence live (this function's contract).
    unsafe { Context::share(context) }
}

/// Does all that is due: reads what waits on the socket, calls the callbacks, retransmits, ends connections whose time is
/// over, and sends. It does not wait. Call it when the socket can be read, and after `qdtls_endpoint_timeout`. Not all may
/// have been read when it returns: with an edge-triggered interface call it again until `more` is false.
/// `QDTLS_STATUS_BUSY` from inside a callback. `QDTLS_STATUS_CONNECTION_FAILED`: the socket cannot be read; the
/// connections stay.
///
/// # Safety
/// `endpoint` is null or a live handle; `more` is null or writable. If it is null, nothing is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_process(endpoint: *mut qdtls_endpoint, more: *mut bool) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { Held::of(endpoint) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let more = unsafe { Out::new(more) };
    call_on("qdtls_endpoint_process", endpoint, |endpoint| {
        let is_more = endpoint.core.process()?;
        if let Some(more) = more.if_wanted() {
            more.write(is_more);
        }
        Ok(())
    })
}

/// Writes to `running` whether anything is due at some time although no datagram comes, and if so to `microseconds` the
/// time until then: call `qdtls_endpoint_process` after it. It may change with each call of the endpoint's functions or of
/// those of its connections.
///
/// # Safety
/// `endpoint` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_timeout(
    endpoint: *const qdtls_endpoint,
    running: *mut bool,
    microseconds: *mut u64,
) -> Status {
    // SAFETY: null, or a live handle (this function's contract); only its cells change, on this thread.
    let endpoint = unsafe { endpoint.as_ref() };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
    let (running, microseconds) = unsafe { (Out::new(running), Out::new(microseconds)) };
    look_at("qdtls_endpoint_timeout", endpoint, |endpoint| {
        let (running, microseconds) = (running.require()?, microseconds.require()?);
        let left = endpoint.core.time_left();
        if let Some(left) = left {
            microseconds.write(u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
        }
        running.write(left.is_some());
        Ok(())
    })
}

/// Ends a connection of the endpoint: by a close_notify if it is complete. It is freed before the call returns, or, if it
/// is in use by a running call, after that; `ended` is not called. `QDTLS_STATUS_INVALID_ARGUMENT`: null, or a connection
/// that is not the endpoint's.
///
/// # Safety
/// Both are null or live handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_close(
    endpoint: *mut qdtls_endpoint,
    connection: *mut qdtls_connection,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { Held::of(endpoint) };
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let connection = unsafe { reference(connection.cast_const()) };
    call_on("qdtls_endpoint_close", endpoint, |endpoint| endpoint.core.close(connection?))
}

/// Sets a `qdtls_limit` of the endpoint. A value out of its range, or an unknown limit, gives
/// `QDTLS_STATUS_INVALID_ARGUMENT` and changes nothing. Connections that exist stay; how long they may be quiet counts from
/// then.
///
/// # Safety
/// `endpoint` is null or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_set_limit(
    endpoint: *mut qdtls_endpoint,
    limit: i32,
    value: u64,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { Held::of(endpoint) };
    call_on("qdtls_endpoint_set_limit", endpoint, |endpoint| {
        let limit = Limit::of(limit).ok_or_else(|| invalid("the number names no limit"))?;
        endpoint.core.set_limit(limit, value)
    })
}

/// Writes the number of connections to `connections`, and to `handshakes` how many of them are in a handshake.
///
/// # Safety
/// `endpoint` is null or a live handle; the others are null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_count(
    endpoint: *const qdtls_endpoint,
    connections: *mut usize,
    handshakes: *mut usize,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { Held::of(endpoint) };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
    let (connections, handshakes) = unsafe { (Out::new(connections), Out::new(handshakes)) };
    call_on("qdtls_endpoint_count", endpoint, |endpoint| {
        let (connections, handshakes) = (connections.require()?, handshakes.require()?);
        let (all, unfinished) = endpoint.core.count();
        connections.write(all);
        handshakes.write(unfinished);
        Ok(())
    })
}

/// Writes the last error of `endpoint` to `error`; its status is `QDTLS_STATUS_OK` if there was none. For a null handle it
/// is that of `qdtls_last_error`. `QDTLS_STATUS_INVALID_ARGUMENT`: `error` is null, or its `size` is not set.
///
/// # Safety
/// `endpoint` is null or a live handle; `error` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_endpoint_last_error(
    endpoint: *const qdtls_endpoint,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let endpoint = unsafe { endpoint.as_ref() };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let error = unsafe { OutSized::new(error) };
    write_last_error("qdtls_endpoint_last_error", endpoint, error)
}
