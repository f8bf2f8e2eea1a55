// SPDX-License-Identifier: MIT OR Apache-2.0
//! The objects of the `openssl` crate. It uses openssl-sys as this one does, so both call the same linked library.

use super::ssl::Ssl;
use super::{api, prepare};
use crate::error::{Error, Result, Status};
use ::openssl::ssl;
use foreign_types::{ForeignType, ForeignTypeRef};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// Prepares a context for connections, once and before it is built. Sets OpenSSL's callbacks for cookies, ALPN and
/// session tickets, which the program must not set afterwards, and turns the session cache off.
///
/// Errors: `InvalidArgument` if its method is not one of DTLS (`SslMethod::dtls`, `dtls_client`, `dtls_server`);
/// `OpensslUnsupported`; `InitFailed`.
pub fn prepare(context: &mut ssl::SslContextBuilder) -> Result<()> {
    let context = NonNull::new(context.as_ptr()).ok_or_else(is_null)?;
    // SAFETY: live, because the builder owns it. It is borrowed exclusively, and owns the only reference until it is
    // built, so that no other thread uses it.
    unsafe { prepare::prepare(context) }
}

impl Ssl {
    /// Takes over an `SSL` of the crate.
    pub fn from_crate(ssl: ssl::Ssl) -> Result<Self> {
        api()?;
        let raw = NonNull::new(ManuallyDrop::new(ssl).as_ptr()).ok_or_else(is_null)?;
        // SAFETY: live and used by no other code: the crate's `Ssl` is one owner, which was moved here and is not
        // dropped.
        unsafe { Self::take(raw) }
    }

    /// The same as the crate sees it, for queries between operations.
    pub fn as_crate(&self) -> &ssl::SslRef {
        // SAFETY: `raw` is live while `self` is, and the result borrows `self`.
        unsafe { ssl::SslRef::from_ptr(self.raw.as_ptr()) }
    }
}

/// No object of the crate is.
fn is_null() -> Error {
    Error::new(Status::InvalidArgument, "the openssl crate")
}
