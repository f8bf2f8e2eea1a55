// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an `SSL_CTX` needs before connections share it, and making an `SSL` from one.

use super::{api, callbacks, error_queue};
use crate::error::{Result, Status};
use openssl_sys::{SSL, SSL_CTX};
use std::ffi::{c_int, c_long, c_uint};
use std::ptr::{self, NonNull};

/// ssl.h: SSL_CTRL_SET_SESS_CACHE_MODE and SSL_SESS_CACHE_OFF.
const CTRL_SET_SESS_CACHE_MODE: c_int = 44;
const SESS_CACHE_OFF: c_long = 0;
/// Sessions are told apart by their context's ticket keys; OpenSSL asks for a name all the same.
const SESSION_ID_CONTEXT: &[u8] = b"qdtls-rs";

/// Prepares a context: cookie, ALPN and ticket callbacks, and no server-side session cache, which a shared context would
/// have made a way to resume sessions that nobody has asked for.
///
/// # Safety
/// `context` is a live `SSL_CTX` of a DTLS method, of the OpenSSL in use, that no other thread is working with.
pub unsafe fn prepare(context: NonNull<SSL_CTX>) -> Result<()> {
    let api = api()?;
    let raw = context.as_ptr();
    error_queue::clear(api);
    // SAFETY: live, and this thread's alone, by the caller's promise; the callbacks have the types of the manual pages
    // and check their arguments.
    unsafe {
        (api.SSL_CTX_set_cookie_generate_cb)(raw, callbacks::q_generate_cookie_callback);
        (api.SSL_CTX_set_cookie_verify_cb)(raw, callbacks::q_verify_cookie_callback);
        (api.SSL_CTX_set_alpn_select_cb)(raw, callbacks::select_alpn, ptr::null_mut());
        (api.SSL_CTX_set_session_ticket_cb)(raw, None, Some(callbacks::use_ticket), ptr::null_mut());
        (api.SSL_CTX_ctrl)(raw, CTRL_SET_SESS_CACHE_MODE, SESS_CACHE_OFF, ptr::null_mut());
    }
    let length = SESSION_ID_CONTEXT.len() as c_uint;
    // SAFETY: live by the caller's promise; the name is readable for its length and copied.
    match unsafe { (api.SSL_CTX_set_session_id_context)(raw, SESSION_ID_CONTEXT.as_ptr(), length) } {
        1 => Ok(()),
        _ => Err(error_queue::failure(Status::InitFailed, "SSL_CTX_set_session_id_context")),
    }
}

/// SSL_new(3), checked.
///
/// # Safety
/// `context` is a live `SSL_CTX` of the OpenSSL in use.
pub unsafe fn new_ssl(context: NonNull<SSL_CTX>) -> Result<NonNull<SSL>> {
    let api = api()?;
    error_queue::clear(api);
    // SAFETY: live by the caller's promise.
    let ssl = unsafe { (api.SSL_new)(context.as_ptr()) };
    NonNull::new(ssl).ok_or_else(|| error_queue::failure(Status::InitFailed, "SSL_new"))
}
