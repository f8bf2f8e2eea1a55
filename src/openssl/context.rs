// SPDX-License-Identifier: MIT OR Apache-2.0
//! A prepared `SSL_CTX` that has several owners, and creating an `SSL` from one.

use super::{Api, api, error_queue};
use crate::error::{Error, Result, Status};
use openssl_sys::{SSL, SSL_CTX};
use std::ffi::c_int;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

/// crypto.h: CRYPTO_EX_INDEX_SSL_CTX.
const EX_INDEX_SSL_CTX: c_int = 1;

/// How the `SSL_CTX`s that [`super::prepare`] has prepared are recognised: they refer to this index (SSL_CTX_set_ex_data(3)).
static MARK: OnceLock<c_int> = OnceLock::new();

fn index(api: &Api) -> Result<c_int> {
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

/// Marks a context as prepared.
///
/// # Safety
/// `context` is live, and no other thread uses it meanwhile.
pub(super) unsafe fn set_mark(api: &Api, context: NonNull<SSL_CTX>) -> Result<()> {
    let mark = ptr::from_ref(&MARK).cast_mut().cast();
    // SAFETY: live by this function's contract; OpenSSL stores the pointer and never follows it.
    match unsafe { (api.SSL_CTX_set_ex_data)(context.as_ptr(), index(api)?, mark) } {
        1 => Ok(()),
        _ => Err(error_queue::failure(Status::InitFailed, "SSL_CTX_set_ex_data")),
    }
}

/// Refuses a context that [`set_mark`] has not marked, or null.
///
/// # Safety
/// `context` is null or live.
pub(super) unsafe fn require_prepared(api: &Api, context: *const SSL_CTX) -> Result<()> {
    // SAFETY: called if `context` is not null, hence live (this function's contract); the function only reads it.
    let has_mark = |index: &c_int| !unsafe { (api.SSL_CTX_get_ex_data)(context, *index) }.is_null();
    match !context.is_null() && MARK.get().is_some_and(has_mark) {
        true => Ok(()),
        false => {
            let reason = "the SSL_CTX was not prepared (qdtls_context_prepare)";
            Err(Error::because(Status::InvalidArgument, "SSL_CTX", reason))
        }
    }
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
        unsafe { require_prepared(api, context.as_ptr()) }?;
        // SAFETY: live by this function's contract; the count is given back on drop.
        match unsafe { (api.SSL_CTX_up_ref)(context.as_ptr()) } {
            1 => Ok(Self { raw: context, api }),
            _ => Err(error_queue::failure(Status::InitFailed, "SSL_CTX_up_ref")),
        }
    }

    /// The context, live as long as `self` is.
    pub(super) fn raw(&self) -> NonNull<SSL_CTX> {
        self.raw
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: gives back the count that `share` has taken, once.
        unsafe { (self.api.SSL_CTX_free)(self.raw.as_ptr()) };
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
