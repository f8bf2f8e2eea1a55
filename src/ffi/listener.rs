// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stateless cookie exchange of a server.

use super::address::qdtls_address;
use super::arguments::{In, Out, reference};
use super::cookie::qdtls_cookie;
use super::error::{ErrorSlot, qdtls_error};
use super::handle::{Handle, Held, call, call_on, give, take_back};
use super::program::{Program, qdtls_callbacks};
use crate::error::Status;
use crate::listener::Listener;

/// Answers ClientHellos with cookies and tells which clients have come back with one. Keeps nothing about them.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_listener {
    core: Listener<Program>,
    last_error: ErrorSlot,
}

impl Handle for qdtls_listener {
    fn last_error(&self) -> &ErrorSlot {
        &self.last_error
    }
}

/// Makes a listener with default cookie parameters. Of the callbacks `send`, `now` and `release` are used.
///
/// # Safety
/// The pointers are null, or readable and writable. The handle is freed with `qdtls_listener_free`. On failure `release`
/// is not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_new(
    callbacks: *const qdtls_callbacks,
    listener: *mut *mut qdtls_listener,
) -> Status {
    // SAFETY: null, or a structure that lives and stays as it is while this call runs (contract).
    let callbacks = unsafe { reference(callbacks) };
    // SAFETY: null, or writable until this call returns (contract).
    let listener = unsafe { Out::new(listener) };
    call("qdtls_listener_new", || {
        let (callbacks, listener) = (callbacks?, listener.require()?);
        let core = Listener::new(Program::new(callbacks)?);
        listener.write(give(qdtls_listener { core, last_error: ErrorSlot::default() }));
        Ok(())
    })
}

/// Frees a listener; null is ignored. Allowed from inside its callbacks.
///
/// # Safety
/// `listener` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_free(listener: *mut qdtls_listener) {
    // SAFETY: null, or a live handle whose owner gives it up with this call (contract).
    unsafe { take_back("qdtls_listener_free", listener) };
}

/// Copies cookie parameters into the listener.
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
    // SAFETY: null, or a structure that lives and stays as it is while this call runs (contract).
    let cookie = unsafe { reference(cookie) };
    call_on("qdtls_listener_set_cookie", listener, |listener| {
        listener.core.set_cookie(cookie?.key());
        Ok(())
    })
}

/// Writes to `verified` whether `datagram`, which came from `address`, starts with a ClientHello with a valid cookie:
/// then a server's connection can be started with the same datagram.
///
/// A ClientHello without one is answered with a HelloVerifyRequest (RFC 6347, 4.2.1); anything else is ignored without
/// an error, for anyone can send it. `QDTLS_STATUS_SEND_FAILED` or `QDTLS_STATUS_SEND_REFUSED` when the answer could not
/// be sent.
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
    // SAFETY: null, or a structure that lives and stays as it is while this call runs (contract).
    let address = unsafe { reference(address) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let datagram = unsafe { In::new(datagram, length) };
    // SAFETY: null, or writable until this call returns (contract).
    let verified = unsafe { Out::new(verified) };
    call_on("qdtls_listener_verify", listener, |listener| {
        verified.require()?.write(listener.core.verify(&address?.to_peer()?, datagram.get()?)?);
        Ok(())
    })
}

/// Writes the last error of `listener` to `error`.
///
/// # Safety
/// `listener` is null or a live handle; `error` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_listener_last_error(
    listener: *const qdtls_listener,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let listener = unsafe { Held::of(listener) };
    // SAFETY: null, or writable until this call returns (contract).
    let error = unsafe { Out::new(error) };
    call_on("qdtls_listener_last_error", listener, |listener| {
        error.require()?.write(listener.last_error.read());
        Ok(())
    })
}
