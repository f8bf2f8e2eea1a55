// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stateless cookie exchange of a server.

use super::address::qdtls_address;
use super::arguments::{In, Out, OutSized, reference};
use super::cookie::qdtls_cookie;
use super::error::{ErrorSlot, qdtls_error};
use super::handle::{Handle, HandlePlace, Held, call, call_on, take_back, write_last_error};
use super::program::{self, Program, qdtls_callbacks};
use crate::error::Status;
use crate::listener::Listener;

/// A listener answers ClientHellos with cookies and recognises the clients that return one (RFC 6347, 4.2.1). It
/// keeps no state per client. One thread at a time may use it.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_listener {
    pub(super) core: Listener<Program>,
    last_error: ErrorSlot,
}

impl Handle for qdtls_listener {
    fn last_error(&self) -> &ErrorSlot {
        &self.last_error
    }
}

/// Creates a listener with the default cookie parameters (`qdtls_cookie_new`) and writes it to `listener`. It uses
/// the callbacks `send` or `send_to`, `now` and `release`, which are copied; one of the first two is required:
/// otherwise `QDTLS_STATUS_INVALID_ARGUMENT`. The caller owns the handle and frees it with `qdtls_listener_free`. `release` is
/// not called when this function fails.
///
/// # Safety
/// `callbacks` is null or readable for its `size`, `listener` null or writable. The callbacks can be called with their `user` until
/// `release` was called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_new(
    callbacks: *const qdtls_callbacks,
    listener: *mut *mut qdtls_listener,
) -> Status {
    // SAFETY: null, or readable for its size (this function's contract).
    let callbacks = unsafe { program::callbacks(callbacks) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let listener = unsafe { Out::new(listener) };
    call("qdtls_listener_new", || {
        let (callbacks, listener) = (callbacks?, listener.require()?);
        let place = HandlePlace::new("qdtls_listener_new")?;
        let core = Listener::new(Program::new(callbacks)?);
        listener.write(place.give(qdtls_listener { core, last_error: ErrorSlot::default() }));
        Ok(())
    })
}

/// Frees a listener. Null is ignored. Allowed from inside its callbacks.
///
/// # Safety
/// `listener` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_free(listener: *mut qdtls_listener) {
    // SAFETY: null, or a live handle that its owner does not use again (this function's contract).
    unsafe { take_back("qdtls_listener_free", listener) };
}

/// Copies cookie parameters into the listener, which uses them from the next datagram on. `cookie` must not be null.
///
/// # Safety
/// Both are null or live handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_set_cookie(
    listener: *mut qdtls_listener,
    cookie: *const qdtls_cookie,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let listener = unsafe { Held::of(listener) };
    // SAFETY: null, or a live handle (this function's contract); only its cells change, on this thread.
    let cookie = unsafe { reference(cookie) };
    call_on("qdtls_listener_set_cookie", listener, |listener| {
        listener.core.set_cookie(cookie?.key());
        Ok(())
    })
}

/// Writes to `verified` whether `datagram`, received from `address`, starts with a ClientHello with a valid cookie.
/// If it does, start a server's connection with the same datagram and cookie parameters (`qdtls_connection_start`).
///
/// A ClientHello without a valid cookie is answered with a HelloVerifyRequest (RFC 6347, 4.2.1). Any other datagram
/// is ignored without an error, because anyone can send it. `QDTLS_STATUS_INVALID_ADDRESS`: `address` is not a
/// unicast address with a port. `QDTLS_STATUS_SEND_FAILED`, `QDTLS_STATUS_SEND_REFUSED`: the answer could not be
/// sent. `QDTLS_STATUS_RANDOM_FAILED`: no secret could be generated. The listener stays usable after every error.
///
/// # Safety
/// `listener` is null or a live handle; the others are null, or readable and writable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_verify(
    listener: *mut qdtls_listener,
    address: *const qdtls_address,
    datagram: *const u8,
    length: usize,
    verified: *mut bool,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let listener = unsafe { Held::of(listener) };
    // SAFETY: null, or a structure that is live and not written during this call (this function's contract).
    let address = unsafe { reference(address) };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let verified = unsafe { Out::new(verified) };
    call_on("qdtls_listener_verify", listener, |listener| {
        verified.require()?.write(listener.core.verify(&address?.to_peer()?, datagram.get()?)?);
        Ok(())
    })
}

/// Writes the last error of `listener` to `error`; its status is `QDTLS_STATUS_OK` if there was none. For a null handle it
/// is that of `qdtls_last_error`. `QDTLS_STATUS_INVALID_ARGUMENT`: `error` is null, or its `size` is not set.
///
/// # Safety
/// `listener` is null or a live handle; `error` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_last_error(
    listener: *const qdtls_listener,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let listener = unsafe { listener.as_ref() };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let error = unsafe { OutSized::new(error) };
    write_last_error("qdtls_listener_last_error", listener, error)
}
