// SPDX-License-Identifier: MIT OR Apache-2.0
//! The embedding program, as C describes it.

use super::address::qdtls_address;
use super::arguments::{In, invalid, sized};
use super::handle::call;
use crate::error::{Error, Result, Status};
use crate::host::{Host, Psk, PskRequest, SendResult, ServerName};
use crate::log::{self, Kind};
use crate::memory::{self, Place, Rc};
use crate::openssl::context::Context;
use crate::panic::guard;
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::send_error;
use crate::unix_time::UnixTime;
use openssl_sys::SSL_CTX;
use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::{self, NonNull};
use zeroize::Zeroizing;

/// The callbacks of a listener or connection, copied when the handle is created. The library calls them on the thread
/// that called it. They may query, end or free the handle; another operation of the same connection gives
/// `QDTLS_STATUS_BUSY` or `QDTLS_STATUS_INVALID_STATE`. They must not throw or longjmp.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_callbacks {
    /// `sizeof(qdtls_callbacks)`: a library that has more callbacks takes the others for null.
    pub size: usize,
    /// The first argument of every callback.
    pub user: *mut c_void,
    /// Sends one datagram to the peer and returns a `qdtls_send_result`, after a failure that of
    /// `qdtls_send_result_of_errno`; any other number means `QDTLS_SEND_RESULT_FAILED`. The bytes are valid during the
    /// call. Required.
    pub send: Option<unsafe extern "C" fn(user: *mut c_void, datagram: *const u8, length: usize) -> i32>,
    /// Provides a pre-shared key by calling `qdtls_psk_reply_set` on `reply`, or refuses the handshake by not calling
    /// it. Null: no pre-shared keys.
    pub psk: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            request: *const qdtls_psk_request,
            reply: *mut qdtls_psk_reply,
        ),
    >,
    /// Returns the time in milliseconds since the Unix epoch. Null: the system's clock.
    pub now: Option<unsafe extern "C" fn(user: *mut c_void) -> u64>,
    /// Called once, as the last callback, when the handle was freed and no operation runs. May be null.
    pub release: Option<unsafe extern "C" fn(user: *mut c_void)>,
    /// As `send`, with the address: how a listener answers, if it is not null; it does not need `send` then.
    pub send_to: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            address: *const qdtls_address,
            datagram: *const u8,
            length: usize,
        ) -> i32,
    >,
    /// Chooses the certificate of a server for the name that a client asks for (RFC 6066, 3), if the context is one of
    /// `qdtls_context_select_by_name`. 0 goes on: with the certificate of the prepared `SSL_CTX` that it writes to
    /// `context`, to which the connection takes a reference, or with its own if it writes none. Any other number refuses the
    /// client with the alert unrecognized_name. All else, such as how peers are verified, stays that of the connection's
    /// own context. The name has no terminating zero, and is valid during the call. Null: its own.
    pub server_name: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            name: *const u8,
            length: usize,
            context: *mut *mut SSL_CTX,
        ) -> i32,
    >,
}

/// The size of the first version of [`qdtls_callbacks`]: the least.
const LEAST_SIZE: usize = offset_of!(qdtls_callbacks, send_to) + size_of::<usize>();

/// Copies callbacks from C.
///
/// # Safety
/// `place` is null, or readable for its first member, a size, and for as many bytes as that says.
pub(super) unsafe fn callbacks(place: *const qdtls_callbacks) -> Result<qdtls_callbacks> {
    // SAFETY: null, or readable for its size (this function's contract). Its members are numbers, pointers and optional
    // functions, for which zero is valid.
    unsafe { sized(place, LEAST_SIZE) }
}

/// Returns the result that a `send` callback gives for the error number of its failed system call: `errno`, on Windows
/// `WSAGetLastError()`. `QDTLS_SEND_RESULT_LOST` if a later datagram may get through, `QDTLS_SEND_RESULT_REFUSED` if
/// the number reports an earlier one, otherwise `QDTLS_SEND_RESULT_FAILED`. The guide has the table.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_send_result_of_errno(error: i32) -> SendResult {
    guard("qdtls_send_result_of_errno", SendResult::Failed, || send_error::result_of(error))
}

/// A request for a pre-shared key (RFC 4279). Valid during the callback.
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_psk_request {
    /// The `qdtls_role` of this end.
    pub role: i32,
    /// On a client the server's identity hint, on a server the client's identity; null if the peer sent none. Not
    /// null-terminated.
    pub text: *const u8,
    /// The length of `text` in bytes.
    pub text_length: usize,
    /// The longest identity allowed, in bytes; 0 on a server.
    pub max_identity: usize,
    /// The longest key allowed, in bytes.
    pub max_key: usize,
}

/// The destination of the answer to a `qdtls_psk_request`. Valid during the callback.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_psk_reply(RefCell<Option<Psk>>);

/// Answers a request for a pre-shared key; call it inside the `psk` callback only. Key and identity are copied, and
/// the copies are wiped after use. A server needs no identity. An empty key refuses the handshake. A key or identity
/// longer than the request allows, or an identity with a zero byte, ends the handshake with
/// `QDTLS_STATUS_PSK_REJECTED`: nothing is truncated.
///
/// # Safety
/// `reply` is null or that of the running callback; the other pointers are null or readable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_psk_reply_set(
    reply: *mut qdtls_psk_reply,
    identity: *const u8,
    identity_length: usize,
    key: *const u8,
    key_length: usize,
) -> Status {
    // SAFETY: null, or the reply of the running callback (this function's contract), which is live until the callback
    // returns and used by shared reference only.
    let reply = unsafe { reply.as_ref() };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let identity = unsafe { In::new(identity, identity_length) };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let key = unsafe { In::new(key, key_length) };
    call("qdtls_psk_reply_set", || {
        let reply = reply.ok_or_else(|| invalid("the reply is null"))?;
        let copy = |part| {
            let copy = memory::copy(part).ok_or_else(|| Error::no_memory("qdtls_psk_reply_set"))?;
            Ok(Zeroizing::new(copy))
        };
        let (identity, key) = (copy(identity.get()?)?, copy(key.get()?)?);
        reply.0.replace(Some(Psk { identity, key }));
        Ok(())
    })
}

/// C's function that provides pre-shared keys.
pub(super) type AskForPsk =
    unsafe extern "C" fn(user: *mut c_void, request: *const qdtls_psk_request, reply: *mut qdtls_psk_reply);

/// Asks C for a pre-shared key.
///
/// # Safety
/// `ask` can be called with `user`.
pub(super) unsafe fn ask_for_psk(ask: AskForPsk, user: *mut c_void, request: &PskRequest<'_>) -> Option<Psk> {
    let c_request = qdtls_psk_request {
        role: request.role as i32,
        text: request.text.map_or(ptr::null(), <[u8]>::as_ptr),
        text_length: request.text.map_or(0, <[u8]>::len),
        max_identity: request.max_identity,
        max_key: request.max_key,
    };
    let mut reply = qdtls_psk_reply(RefCell::new(None));
    // SAFETY: callable with `user` (this function's contract); request and reply are locals that outlive the call.
    unsafe { ask(user, &c_request, &raw mut reply) };
    reply.0.take()
}

/// C's function that chooses a context by name.
pub(super) type AskForContext = unsafe extern "C" fn(
    user: *mut c_void,
    name: *const u8,
    length: usize,
    context: *mut *mut SSL_CTX,
) -> i32;

/// Asks C for the context of a server name.
///
/// # Safety
/// `ask` can be called with `user`.
pub(super) unsafe fn ask_for_context(ask: AskForContext, user: *mut c_void, name: &[u8]) -> ServerName {
    let mut context = ptr::null_mut();
    // SAFETY: callable with `user` (this function's contract); name and place outlive the call.
    if unsafe { ask(user, name.as_ptr(), name.len(), &raw mut context) } != 0 {
        return ServerName::Refuse;
    }
    let Some(context) = NonNull::new(context) else { return ServerName::Keep };
    // SAFETY: not null, hence a live context (the contract of the callback).
    match unsafe { Context::share(context) } {
        Ok(context) => ServerName::Switch(context),
        Err(error) => {
            log::report(Kind::ContextRefused, None, "server_name", format_args!("{}", error.reason()));
            ServerName::Refuse
        }
    }
}

/// The C program as a [`Host`].
pub(super) struct Program(qdtls_callbacks);

impl Program {
    /// That of a listener.
    pub(super) fn new(callbacks: qdtls_callbacks) -> Result<Self> {
        match callbacks.send.is_some() || callbacks.send_to.is_some() {
            true => Ok(Self(callbacks)),
            false => Err(invalid("the callbacks send and send_to are null")),
        }
    }

    /// That of a connection, with several owners. `release` is not called when there is no memory for it.
    pub(super) fn host(callbacks: qdtls_callbacks) -> Result<Rc<Box<dyn Host>>> {
        if callbacks.send.is_none() {
            return Err(invalid("the callback send is null"));
        }
        let no_memory = || Error::no_memory("callbacks");
        let (place, owners) = (Place::new().ok_or_else(no_memory)?, Rc::place().ok_or_else(no_memory)?);
        Ok(owners.fill(place.fill(Self::new(callbacks)?)))
    }
}

impl Host for Program {
    fn send(&self, datagram: &[u8]) -> SendResult {
        let (start, length) = (datagram.as_ptr(), datagram.len());
        // SAFETY: the contract of `qdtls_connection_new` and `qdtls_listener_new` allows the call with `user` until
        // `release`, which is called on drop. The datagram is readable for its length during the call.
        let result = self.0.send.map(|send| unsafe { send(self.0.user, start, length) });
        send_result(result)
    }

    fn send_to(&self, peer: &PeerAddress, datagram: &[u8]) -> SendResult {
        let Some(send_to) = self.0.send_to else { return self.send(datagram) };
        let (address, start, length) = (qdtls_address::from(*peer), datagram.as_ptr(), datagram.len());
        // SAFETY: as for `send`, by the contract of `qdtls_listener_new`. The address is a local that outlives the call.
        send_result(Some(unsafe { send_to(self.0.user, &address, start, length) }))
    }

    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk> {
        // SAFETY: callable with `user` until the drop of `self` (the contract of `qdtls_connection_new`).
        self.0.psk.and_then(|ask| unsafe { ask_for_psk(ask, self.0.user, request) })
    }

    fn select_context(&self, name: &[u8]) -> ServerName {
        let Some(ask) = self.0.server_name else { return ServerName::Keep };
        // SAFETY: callable with `user` until the drop of `self` (the contract of `qdtls_connection_new`).
        unsafe { ask_for_context(ask, self.0.user, name) }
    }

    fn now(&self) -> UnixTime {
        match self.0.now {
            // SAFETY: callable with `user` until the drop of `self` (the contract of `qdtls_connection_new` and
            // `qdtls_listener_new`).
            Some(now) => UnixTime(unsafe { now(self.0.user) }),
            None => UnixTime::now(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: callable with `user` (the contract of `qdtls_connection_new` and `qdtls_listener_new`), once:
            // the drop of `self` is the only place that calls it.
            unsafe { release(self.0.user) };
        }
    }
}

/// Converts a `qdtls_send_result` from C; without one nothing was sent.
fn send_result(number: Option<i32>) -> SendResult {
    let known = [SendResult::Sent, SendResult::Lost, SendResult::Refused];
    let result = number.and_then(|number| known.into_iter().find(|result| *result as i32 == number));
    result.unwrap_or(SendResult::Failed)
}

/// Converts a `qdtls_role` from C.
pub(super) fn role(number: i32) -> Result<Role> {
    [Role::Client, Role::Server]
        .into_iter()
        .find(|role| *role as i32 == number)
        .ok_or_else(|| invalid("the role is neither client nor server"))
}
