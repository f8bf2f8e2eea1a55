// SPDX-License-Identifier: MIT OR Apache-2.0
//! Preparing an `SSL_CTX` for connections, and creating an `SSL` from it.

use super::{api, callbacks, error_queue};
use crate::error::{Result, Status};
use openssl_sys::{SSL, SSL_CTX};
use std::ffi::{c_int, c_long, c_uint};
use std::ptr::{self, NonNull};

/// ssl.h: SSL_CTRL_SET_SESS_CACHE_MODE and SSL_SESS_CACHE_OFF.
const CTRL_SET_SESS_CACHE_MODE: c_int = 44;
const SESS_CACHE_OFF: c_long = 0;
/// OpenSSL requires a session id context, although the ticket keys already bind sessions to their `SSL_CTX`.
const SESSION_ID_CONTEXT: &[u8] = b"qdtls-rs";

/// Prepares a context: sets the cookie, ALPN and ticket callbacks, and turns off the session cache, with which a
/// shared context would resume sessions even if resumption is disabled.
///
/// # Safety
/// `context` is a live `SSL_CTX` with a DTLS method, of the OpenSSL in use, that no other thread uses meanwhile.
pub unsafe fn prepare(context: NonNull<SSL_CTX>) -> Result<()> {
    let api = api()?;
    let raw = context.as_ptr();
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
    match unsafe { (api.SSL_CTX_set_session_id_context)(raw, SESSION_ID_CONTEXT.as_ptr(), length) } {
        1 => Ok(()),
        _ => Err(error_queue::failure(Status::InitFailed, "SSL_CTX_set_session_id_context")),
    }
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
