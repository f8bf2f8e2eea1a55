// SPDX-License-Identifier: MIT OR Apache-2.0
//! The embedding program, as C describes it.

use super::arguments::{In, invalid};
use super::handle::call;
use crate::error::{Error, Result, Status};
use crate::host::{Host, Psk, PskRequest, SendResult};
use crate::memory::{self, Place, Rc};
use crate::panic::guard;
use crate::role::Role;
use crate::send_error;
use crate::unix_time::UnixTime;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// The callbacks of a listener or connection, copied when the handle is created. The library calls them on the thread
/// that called it. They may query, end or free the handle; another operation of the same connection gives
/// `QDTLS_STATUS_BUSY` or `QDTLS_STATUS_INVALID_STATE`. They must not throw or longjmp.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_callbacks {
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

/// The C program as a [`Host`].
pub(super) struct Program {
    callbacks: qdtls_callbacks,
    send: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> i32,
}

impl Program {
    pub(super) fn new(callbacks: &qdtls_callbacks) -> Result<Self> {
        let send = callbacks.send.ok_or_else(|| invalid("the send callback is null"))?;
        Ok(Self { callbacks: *callbacks, send })
    }

    /// A host with several owners. `release` is not called when there is no memory for it.
    pub(super) fn host(callbacks: &qdtls_callbacks) -> Result<Rc<Box<dyn Host>>> {
        let no_memory = || Error::no_memory("callbacks");
        let (place, owners) = (Place::new().ok_or_else(no_memory)?, Rc::place().ok_or_else(no_memory)?);
        Ok(owners.fill(place.fill(Self::new(callbacks)?)))
    }
}

impl Host for Program {
    fn send(&self, datagram: &[u8]) -> SendResult {
        // SAFETY: the contract of `qdtls_connection_new` and `qdtls_listener_new` allows the call with `user` until
        // `release`, which is called on drop. The datagram is readable for its length during the call.
        let result = unsafe { (self.send)(self.callbacks.user, datagram.as_ptr(), datagram.len()) };
        const SENT: i32 = SendResult::Sent as i32;
        const LOST: i32 = SendResult::Lost as i32;
        const REFUSED: i32 = SendResult::Refused as i32;
        match result {
            SENT => SendResult::Sent,
            LOST => SendResult::Lost,
            REFUSED => SendResult::Refused,
            _ => SendResult::Failed,
        }
    }

    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk> {
        let ask = self.callbacks.psk?;
        let c_request = qdtls_psk_request {
            role: request.role as i32,
            text: request.text.map_or(ptr::null(), <[u8]>::as_ptr),
            text_length: request.text.map_or(0, <[u8]>::len),
            max_identity: request.max_identity,
            max_key: request.max_key,
        };
        let mut reply = qdtls_psk_reply(RefCell::new(None));
        // SAFETY: callable with `user` until the drop of `self` (the contract of `qdtls_connection_new`); request and
        // reply are locals that outlive the call.
        unsafe { ask(self.callbacks.user, &c_request, &raw mut reply) };
        reply.0.take()
    }

    fn now(&self) -> UnixTime {
        UnixTime(match self.callbacks.now {
            // SAFETY: callable with `user` until the drop of `self` (the contract of `qdtls_connection_new` and
            // `qdtls_listener_new`).
            Some(now) => unsafe { now(self.callbacks.user) },
            // A clock before 1970 reads 0: cookies only need a clock that advances.
            None => SystemTime::UNIX_EPOCH
                .elapsed()
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(release) = self.callbacks.release {
            // SAFETY: callable with `user` (the contract of `qdtls_connection_new` and `qdtls_listener_new`), once:
            // the drop of `self` is the only place that calls it.
            unsafe { release(self.callbacks.user) };
        }
    }
}

/// Converts a `qdtls_role` from C.
pub(super) fn role(number: i32) -> Result<Role> {
    [Role::Client, Role::Server]
        .into_iter()
        .find(|role| *role as i32 == number)
        .ok_or_else(|| invalid("the role is neither client nor server"))
}
