// SPDX-License-Identifier: MIT OR Apache-2.0
//! The embedding program, as C describes it.

use super::arguments::{In, invalid};
use super::handle::call;
use crate::error::{Result, Status};
use crate::host::{Host, Psk, PskRequest, SendResult};
use crate::role::Role;
use crate::unix_time::UnixTime;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// What a listener or connection asks of the program. Copied when the handle is made. Each function is called on the
/// thread that called the library, may call the same handle again (most calls are then refused with
/// `QDTLS_STATUS_BUSY`; ending, freeing and asking are not), and must not throw or jump out.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_callbacks {
    /// Given to every function below.
    pub user: *mut c_void,
    /// Sends one datagram to the peer and returns a `qdtls_send_result`. The bytes are valid during the call.
    pub send: Option<unsafe extern "C" fn(user: *mut c_void, datagram: *const u8, length: usize) -> i32>,
    /// Answers with `qdtls_psk_reply_set`, or not at all to refuse the handshake. May be null: no pre-shared keys.
    pub psk: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            request: *const qdtls_psk_request,
            reply: *mut qdtls_psk_reply,
        ),
    >,
    /// Seconds since the Unix epoch. May be null: the system's clock.
    pub now: Option<unsafe extern "C" fn(user: *mut c_void) -> u64>,
    /// Called once, when none of the others will be called any more. May be null.
    pub release: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// What a pre-shared key is needed for. Valid during the callback.
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_psk_request {
    /// The `qdtls_role` of this end.
    pub role: i32,
    /// To a client the server's identity hint, to a server the client's identity; null when the peer sent none. Not
    /// terminated.
    pub text: *const u8,
    /// Its length in bytes.
    pub text_length: usize,
    /// The longest identity that fits, in bytes; 0 for a server.
    pub max_identity: usize,
    /// The longest key that fits, in bytes.
    pub max_key: usize,
}

/// Where the answer to a `qdtls_psk_request` goes.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_psk_reply(RefCell<Option<Psk>>);

/// Answers a request for a pre-shared key. Both parts are copied, and the copies wiped after use; an identity is only
/// needed from a client. A key or identity longer than the request allows ends the handshake with
/// `QDTLS_STATUS_PSK_REJECTED`: nothing is cut.
///
/// # Safety
/// `reply` is null or that of the callback under way; the other pointers are null or readable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_psk_reply_set(
    reply: *mut qdtls_psk_reply,
    identity: *const u8,
    identity_length: usize,
    key: *const u8,
    key_length: usize,
) -> Status {
    // SAFETY: null, or the reply of the callback under way, which is only used by shared reference (contract).
    let reply = unsafe { reply.as_ref() };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let identity = unsafe { In::new(identity, identity_length) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let key = unsafe { In::new(key, key_length) };
    call("qdtls_psk_reply_set", || {
        let reply = reply.ok_or_else(|| invalid("the reply is null"))?;
        let [identity, key] = [identity.get()?, key.get()?].map(|part| Zeroizing::new(part.to_vec()));
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
}

impl Host for Program {
    fn send(&self, datagram: &[u8]) -> SendResult {
        // SAFETY: the program gave function and argument to be called like this, from the thread it is on.
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
        // SAFETY: as for `send`; both structures outlive the call.
        unsafe { ask(self.callbacks.user, &c_request, &raw mut reply) };
        reply.0.take()
    }

    fn now(&self) -> UnixTime {
        UnixTime(match self.callbacks.now {
            // SAFETY: as for `send`.
            Some(now) => unsafe { now(self.callbacks.user) },
            // A clock before 1970 is as good as any: cookies only ask for one that advances.
            None => SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(release) = self.callbacks.release {
            // SAFETY: as for `send`; this is the last call.
            unsafe { release(self.callbacks.user) };
        }
    }
}

/// A `qdtls_role` from C.
pub(super) fn role(number: i32) -> Result<Role> {
    [Role::Client, Role::Server]
        .into_iter()
        .find(|role| *role as i32 == number)
        .ok_or_else(|| invalid("the role is neither client nor server"))
}
