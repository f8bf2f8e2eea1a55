// SPDX-License-Identifier: MIT OR Apache-2.0
//! Preparing an `SSL_CTX` for connections.

use super::{Api, api, callbacks, context, error_queue, key_log, session_id};
use crate::error::{Error, Result, Status};
use openssl_sys::SSL_CTX;
use std::ffi::{c_int, c_long, c_uint};
use std::ptr::{self, NonNull};

/// ssl.h: SSL_CTRL_SET_SESS_CACHE_MODE and SSL_SESS_CACHE_OFF.
pub(super) const CTRL_SET_SESS_CACHE_MODE: c_int = 44;
const SESS_CACHE_OFF: c_long = 0;
/// OpenSSL requires a session id context, although the ticket keys already bind sessions to their `SSL_CTX`.
const SESSION_ID_CONTEXT: &[u8] = b"qdtls-rs";
/// tls1.h: SSL_CTRL_SET_TLSEXT_SERVERNAME_CB.
const CTRL_SET_SERVERNAME_CB: c_int = 53;

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
    // SAFETY: live and not used by another thread, by this function's contract.
    unsafe { session_id::make_for(api, context) };
    // SAFETY: live and not used by another thread, by this function's contract.
    unsafe { key_log::enable(api, context) };
    // SAFETY: live and not used by another thread, by this function's contract.
    unsafe { context::set_mark(api, context) }
}

/// Has the program choose a context for each server name (RFC 6066, 3). Refuses a context that is not prepared.
///
/// # Safety
/// `context` is a live `SSL_CTX` of the OpenSSL in use that no other thread uses meanwhile.
pub unsafe fn select_by_name(context: NonNull<SSL_CTX>) -> Result<()> {
    let api = api()?;
    // SAFETY: live by this function's contract.
    unsafe { context::require_prepared(api, context.as_ptr()) }?;
    error_queue::clear(api);
    let callback = Some(callbacks::select_context as api::ServerName);
    // SAFETY: live and not used by another thread, by this function's contract. The callback has the type of the manual
    // page and checks its arguments.
    let set = unsafe { (api.SSL_CTX_callback_ctrl)(context.as_ptr(), CTRL_SET_SERVERNAME_CB, callback) };
    match set {
        1 => Ok(()),
        _ => Err(error_queue::failure(Status::InitFailed, "SSL_CTX_set_tlsext_servername_callback")),
    }
}

/// Only an `SSL` tells whether the method is DTLS's.
///
/// # Safety
/// `context` is live.
unsafe fn require_dtls(api: &Api, context: NonNull<SSL_CTX>) -> Result<()> {
    // SAFETY: live by this function's contract.
    let ssl = unsafe { context::new_ssl(context) }?.as_ptr();
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
