// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sessions that clients can resume: decoded ones, and those of handshakes that have finished.

use super::{Api, api, error_queue};
use crate::error::{Error, Result, Status};
use crate::memory::{self, Arc};
use openssl_sys::SSL_SESSION;
use std::ffi::c_long;
use std::ptr::{self, NonNull};
use zeroize::Zeroizing;

/// A counted reference to a session, with its keys.
pub struct Session {
    raw: NonNull<SSL_SESSION>,
    api: &'static Api,
    /// What it was decoded from; empty if an `SSL` has it.
    asn1: Zeroizing<Vec<u8>>,
}

/// A session that a client has offered.
pub(super) struct Offered {
    pub session: Arc<Session>,
    /// OpenSSL's own copy of it, which is only compared.
    pub copy: NonNull<SSL_SESSION>,
}

// SAFETY: OpenSSL counts the references to a session atomically. A decoded one belongs to no SSL and is only read, which
// several threads may do. That of an SSL, whose thread may use it meanwhile, is only encoded: what the encoding
// contains does not change once the handshake has finished, before which `Ssl::session` gives none away.
unsafe impl Send for Session {}
// SAFETY: a shared reference only reads, copies or encodes the session, which nothing writes to, and its bytes.
unsafe impl Sync for Session {}

impl Session {
    /// Decodes a session in ASN.1 form (d2i_SSL_SESSION(3)), which takes long if it has a certificate.
    pub fn decode(asn1: &[u8]) -> Result<Arc<Self>> {
        let api = api()?;
        let copy = Zeroizing::new(memory::copy(asn1).ok_or_else(no_memory)?);
        let mut start = asn1.as_ptr();
        let length = c_long::try_from(asn1.len()).unwrap_or(c_long::MAX);
        // SAFETY: the slice is readable for `length` bytes, which is not more than its own. The result is null or
        // owned here.
        let raw = unsafe { (api.d2i_SSL_SESSION)(ptr::null_mut(), &mut start, length) };
        error_queue::clear(api);
        let none = || Error::because(Status::InvalidArgument, "d2i_SSL_SESSION", "the bytes are no session");
        let raw = NonNull::new(raw).ok_or_else(none)?;
        Arc::new(Self { raw, api, asn1: copy }).map_err(|_| no_memory())
    }

    /// Takes one more reference to the session of an `SSL`.
    ///
    /// # Safety
    /// `raw` is live.
    pub(super) unsafe fn share(api: &'static Api, raw: NonNull<SSL_SESSION>) -> Result<Arc<Self>> {
        // SAFETY: live by this function's contract.
        match unsafe { (api.SSL_SESSION_up_ref)(raw.as_ptr()) } {
            1 => Arc::new(Self { raw, api, asn1: Zeroizing::default() }).map_err(|_| no_memory()),
            _ => Err(error_queue::failure(Status::InitFailed, "SSL_SESSION_up_ref")),
        }
    }

    /// Whether it can be offered as it is.
    pub fn is_decoded(&self) -> bool {
        !self.asn1.is_empty()
    }

    /// Reads its ASN.1 form: what it was decoded from, or the output of i2d_SSL_SESSION(3).
    pub fn read_asn1<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Result<R> {
        if self.is_decoded() {
            return Ok(read(&self.asn1));
        }
        let failed = || error_queue::failure(Status::InitFailed, "i2d_SSL_SESSION");
        // SAFETY: live while `self` is; with a null output the function only returns the length.
        let length = unsafe { (self.api.i2d_SSL_SESSION)(self.raw.as_ptr(), ptr::null_mut()) };
        let length = usize::try_from(length).ok().filter(|length| *length > 0).ok_or_else(failed)?;
        let mut asn1 = Zeroizing::new(memory::zeroes(length).ok_or_else(no_memory)?);
        let mut start = asn1.as_mut_ptr();
        // SAFETY: live while `self` is, and unchanged, so this writes the `length` bytes that `asn1` has.
        unsafe { (self.api.i2d_SSL_SESSION)(self.raw.as_ptr(), &mut start) };
        Ok(read(&asn1))
    }

    /// The server's lifetime hint, in seconds (RFC 5077, 3.3).
    pub fn lifetime_hint(&self) -> u64 {
        // SAFETY: live while `self` is; the function only reads.
        let hint = unsafe { (self.api.SSL_SESSION_get_ticket_lifetime_hint)(self.raw.as_ptr()) };
        #[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on some platforms")]
        hint.into()
    }

    /// Makes a copy for one `SSL`, which shares the decoded certificates. OpenSSL never resumes a session again whose
    /// connection has ended without a close_notify; of that the copies' original learns nothing.
    pub(super) fn copy(&self) -> Option<Self> {
        // SAFETY: live while `self` is; the function only reads. The result is null or owned here.
        let raw = unsafe { (self.api.SSL_SESSION_dup)(self.raw.as_ptr()) };
        NonNull::new(raw).map(|raw| Self { raw, api: self.api, asn1: Zeroizing::default() })
    }

    /// The session, live as long as `self` is.
    pub(super) fn raw(&self) -> NonNull<SSL_SESSION> {
        self.raw
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: gives back the reference that `decode` or `share` has taken, once.
        unsafe { (self.api.SSL_SESSION_free)(self.raw.as_ptr()) };
    }
}

fn no_memory() -> Error {
    Error::no_memory("session")
}
