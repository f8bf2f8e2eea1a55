// SPDX-License-Identifier: MIT OR Apache-2.0
//! Preparing an `SSL_CTX` for connections, and creating an `SSL` from it.

use super::ssl::Ssl;
use super::{Api, api, callbacks, error_queue};
use crate::error::{Error, Result, Status};
use openssl_sys::{SSL, SSL_CTX};
use std::ffi::{c_int, c_long, c_uint};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

/// ssl.h: SSL_CTRL_SET_SESS_CACHE_MODE and SSL_SESS_CACHE_OFF.
const CTRL_SET_SESS_CACHE_MODE: c_int = 44;
const SESS_CACHE_OFF: c_long = 0;
/// OpenSSL requires a session id context, although the ticket keys already bind sessions to their `SSL_CTX`.
const SESSION_ID_CONTEXT: &[u8] = b"qdtls-rs";
/// crypto.h: CRYPTO_EX_INDEX_SSL_CTX.
const EX_INDEX_SSL_CTX: c_int = 1;

/// Prepares a context: sets the cookie, ALPN and ticket callbacks, and turns off the session cache, with which a
/// shared context would resume sessions even if resumption is disabled. Refuses one that is not for DTLS (E4).
///
/// # Safety
/// `context` is a live `SSL_CTX` of the OpenSSL in use that no other thread uses meanwhile.
pub unsafe fn prepare(context: NonNull<SSL_CTX>) -> Result<()> {
    let api = api()?;
    let raw = context.as_ptr();
    // SAFETY: live by this function's contract.
    unsafe { require_dtls(api, context) }?;
    error_queue::clear(api);
    // SAFETY: live and not used by another thread, by this function's contract. The callbacks have the types of the
    // manual pages and check their arguments.
    unsafe {
        (api.SSL_CTX_set_cookie_generate_cb)(raw, callbacks::q_generate_cookie_callback);
        (api.SSL_CTX_set_cookie_verify_cb)(raw, callbacks::q_verify_cookie_callback);
        (api.SSL_CTX_set_alpn_select_cb)(raw, callbacks::select_alpn, ptr::null_mut());
        (api.SSL_CTX_set_session_ticket_cb)(raw, None, Some(callbacks::use_ticket), ptr::null_mut());
        (api.SSL_CTX_ctrl)(raw, CTRL_SET_SESS_CACHE_MODE, SESS_CACHE_OFF, ptr::null_mut());
    }
    let length = SESSION_ID_CONTEXT.len() as c_uint;
    // SAFETY: live by this function's contract; OpenSSL copies `length` bytes of the static name.
    if unsafe { (api.SSL_CTX_set_session_id_context)(raw, SESSION_ID_CONTEXT.as_ptr(), length) } != 1 {
        return Err(error_queue::failure(Status::InitFailed, "SSL_CTX_set_session_id_context"));
    }
    // SAFETY: live by this function's contract; OpenSSL stores the pointer and never follows it.
    match unsafe { (api.SSL_CTX_set_ex_data)(raw, mark(api)?, ptr::from_ref(&MARK).cast_mut().cast()) } {
        1 => Ok(()),
        _ => Err(error_queue::failure(Status::InitFailed, "SSL_CTX_set_ex_data")),
    }
}

/// How the `SSL_CTX`s that [`prepare`] has prepared are recognised: they refer to this index (SSL_CTX_set_ex_data(3)).
static MARK: OnceLock<c_int> = OnceLock::new();

fn mark(api: &Api) -> Result<c_int> {
    if let Some(index) = MARK.get() {
        return Ok(*index);
    }
    // SAFETY: no preconditions: without callbacks and argument the index is just a number.
    let index =
        unsafe { (api.CRYPTO_get_ex_new_index)(EX_INDEX_SSL_CTX, 0, ptr::null_mut(), None, None, None) };
    match index {
        0.. => Ok(*MARK.get_or_init(|| index)),
        _ => Err(error_queue::failure(Status::InitFailed, "CRYPTO_get_ex_new_index")),
    }
}

/// Returns whether [`prepare`] has prepared the context.
///
/// # Safety
/// `context` is live.
pub(super) unsafe fn is_prepared(api: &Api, context: *const SSL_CTX) -> bool {
    // SAFETY: live by this function's contract; the function only reads it.
    let has_mark = |index: &c_int| !unsafe { (api.SSL_CTX_get_ex_data)(context, *index) }.is_null();
    MARK.get().is_some_and(has_mark)
}

/// A counted reference to an `SSL_CTX`.
pub struct Context {
    raw: NonNull<SSL_CTX>,
    api: &'static Api,
}

impl Context {
    /// Refers to a prepared context. Refuses one that is not.
    ///
    /// # Safety
    /// `context` is a live `SSL_CTX` of the OpenSSL in use.
    pub unsafe fn share(context: NonNull<SSL_CTX>) -> Result<Self> {
        let api = api()?;
        // SAFETY: live by this function's contract.
        if !unsafe { is_prepared(api, context.as_ptr()) } {
            let reason = "the SSL_CTX was not prepared (qdtls_context_prepare)";
            return Err(Error::because(Status::InvalidArgument, "SSL_CTX", reason));
        }
        // SAFETY: live by this function's contract; the count is given back on drop.
        match unsafe { (api.SSL_CTX_up_ref)(context.as_ptr()) } {
            1 => Ok(Self { raw: context, api }),
            _ => Err(error_queue::failure(Status::InitFailed, "SSL_CTX_up_ref")),
        }
    }

    /// Creates an `SSL`.
    pub fn new_ssl(&self) -> Result<Ssl> {
        // SAFETY: live as long as `self` counts as an owner.
        let ssl = unsafe { new_ssl(self.raw) }?;
        // SAFETY: made above, and used by no other code.
        unsafe { Ssl::take(ssl) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: gives back the count that `share` has taken, once.
        unsafe { (self.api.SSL_CTX_free)(self.raw.as_ptr()) };
    }
}

/// Only an `SSL` tells whether the method is DTLS's.
///
/// # Safety
/// `context` is live.
unsafe fn require_dtls(api: &Api, context: NonNull<SSL_CTX>) -> Result<()> {
    // SAFETY: live by this function's contract.
    let ssl = unsafe { new_ssl(context) }?.as_ptr();
    // SAFETY: made above, not shared, and freed once.
    let is_dtls = unsafe {
        let is_dtls = (api.SSL_is_dtls)(ssl);
        (api.SSL_free)(ssl);
        is_dtls
    };
    match is_dtls {
        1 => Ok(()),
        _ => Err(not_dtls("the SSL_CTX does not use a DTLS method")),
    }
}

/// The error for another method than DTLS's.
pub(super) fn not_dtls(reason: &'static str) -> Error {
    Error::because(Status::InvalidArgument, "SSL_is_dtls", reason)
}

/// Creates an `SSL` (SSL_new(3)).
///
/// # Safety
/// `context` is a live `SSL_CTX` of the OpenSSL in use.
pub unsafe fn new_ssl(context: NonNull<SSL_CTX>) -> Result<NonNull<SSL>> {
    let api = api()?;
    error_queue::clear(api);
    // SAFETY: live by this function's contract.
    let ssl = unsafe { (api.SSL_new)(context.as_ptr()) };
    NonNull::new(ssl).ok_or_else(|| error_queue::failure(Status::InitFailed, "SSL_new"))
}
