// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sessions that clients resume.

use super::arguments::{In, Out, OutBytes, reference};
use super::handle::call;
use crate::error::{Error, Result, Status};
use crate::memory::{self, Arc};
use crate::openssl::session::Session;
use crate::panic::guard;
use std::ptr::NonNull;

/// A session that a client can resume (RFC 5077). It never changes: unlike other handles, several threads may use it at
/// the same time.
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_session(Arc<Session>);

impl qdtls_session {
    pub(super) fn core(&self) -> &Arc<Session> {
        &self.0
    }

    /// Passes a session to C, which owns it.
    pub(super) fn give(session: Arc<Session>) -> Result<*mut Self> {
        let boxed = memory::boxed(Self(session)).map_err(|_| Error::no_memory("session"))?;
        Ok(Box::into_raw(boxed))
    }
}

/// Decodes a session, the output of `qdtls_session_encode`, `qdtls_connection_session` or i2d_SSL_SESSION(3), and writes
/// it to `session`. The caller owns it and frees it with `qdtls_session_free`. Any number of connections may offer it
/// (`qdtls_connection_offer_session`), so that it need not be decoded for each. `QDTLS_STATUS_INVALID_ARGUMENT`: the
/// bytes are no session.
///
/// # Safety
/// `asn1` is null or readable for `length` bytes, `session` null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_session_decode(
    asn1: *const u8,
    length: usize,
    session: *mut *mut qdtls_session,
) -> Status {
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let asn1 = unsafe { In::new(asn1, length) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let session = unsafe { Out::new(session) };
    call("qdtls_session_decode", || {
        let (asn1, session) = (asn1.get()?, session.require()?);
        session.write(qdtls_session::give(Session::decode(asn1)?)?);
        Ok(())
    })
}

/// Copies a session in the form of i2d_SSL_SESSION(3) to `asn1`, at most `capacity` bytes, its length to `length`, and
/// the server's lifetime hint in seconds (RFC 5077, 3.3) to `lifetime_hint`. That of a decoded session are the bytes that
/// it was decoded from. They hold secret keys: wipe them after use (`qdtls_wipe`). `QDTLS_STATUS_BUFFER_TOO_SMALL`: the
/// reason gives the size needed.
///
/// # Safety
/// `session` is null or a live handle; `asn1` is null or writable for `capacity` bytes, the others null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_session_encode(
    session: *const qdtls_session,
    asn1: *mut u8,
    capacity: usize,
    length: *mut usize,
    lifetime_hint: *mut u64,
) -> Status {
    // SAFETY: null, or a live handle, which never changes (this function's contract).
    let session = unsafe { reference(session) };
    // SAFETY: null, or writable for `capacity` bytes until this call returns (this function's contract).
    let asn1 = unsafe { OutBytes::new(asn1, capacity) };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
    let (length, lifetime_hint) = unsafe { (Out::new(length), Out::new(lifetime_hint)) };
    call("qdtls_session_encode", || {
        let session = session?.core();
        let (length, lifetime_hint) = (length.require()?, lifetime_hint.require()?);
        session.read_asn1(|bytes| asn1.write(bytes, length))??;
        lifetime_hint.write(session.lifetime_hint());
        Ok(())
    })
}

/// Frees a session. Null is ignored. Connections that offer it, or have resumed it, keep it as long as they need it.
///
/// # Safety
/// `session` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_session_free(session: *mut qdtls_session) {
    if let Some(session) = NonNull::new(session) {
        // SAFETY: not null, so by this function's contract the pointer came from Box::into_raw in `give` and is given up once.
        let session = unsafe { Box::from_raw(session.as_ptr()) };
        guard("qdtls_session_free", (), move || drop(session));
    }
}
