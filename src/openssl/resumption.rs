// SPDX-License-Identifier: MIT OR Apache-2.0
//! Session resumption by tickets (RFC 5077).

use super::error_queue;
use super::ssl::{Outcome, Running, Ssl};
use super::{Api, api};
use crate::memory;
use openssl_sys::SSL_SESSION;
use std::ffi::{c_int, c_long};
use std::ptr::{self, NonNull};
use zeroize::Zeroizing;

/// A session that a client can resume.
pub struct SessionTicket {
    /// The session with its keys, in ASN.1 form (i2d_SSL_SESSION(3)).
    pub asn1: Zeroizing<Vec<u8>>,
    /// The server's lifetime hint, in seconds (RFC 5077, 3.3).
    pub lifetime_hint: u64,
}

impl Ssl {
    /// Offers a session for resumption. A session that cannot be resumed is ignored: the handshake is then a full
    /// one.
    pub(super) fn resume(&self, asn1: &[u8]) {
        if asn1.is_empty() {
            return;
        }
        let mut start = asn1.as_ptr();
        let length = c_long::try_from(asn1.len()).unwrap_or(c_long::MAX);
        // SAFETY: the slice is readable for `length` bytes, which is not more than its own. The result is null or
        // owned here.
        let session = unsafe { (self.api.d2i_SSL_SESSION)(ptr::null_mut(), &mut start, length) };
        if !session.is_null() {
            // SAFETY: `raw` is live while `self` is, and the session was made above. SSL_set_session(3) adds its own
            // reference, so this one is freed.
            unsafe {
                let set = (self.api.SSL_set_session)(self.raw.as_ptr(), session);
                self.offers_session.set(set == 1);
                (self.api.SSL_SESSION_free)(session);
            }
        }
        error_queue::clear(self.api);
    }

    /// The session of a client, if the server sent a ticket for it.
    pub fn session_ticket(&self) -> Option<SessionTicket> {
        let api = self.api;
        if !self.speaks_of_this_peer() {
            return None;
        }
        // SAFETY: `raw` is live while `self` is. The result is null or a session that the SSL keeps.
        let session = NonNull::new(unsafe { (api.SSL_get_session)(self.raw.as_ptr()) })?.as_ptr();
        // SAFETY: the SSL keeps the session, and nothing in this function lets OpenSSL replace it.
        if unsafe { (api.SSL_SESSION_has_ticket)(session) } != 1 {
            return None;
        }
        // SAFETY: the SSL keeps the session; with a null output the function only returns the length.
        let length = unsafe { (api.i2d_SSL_SESSION)(session, ptr::null_mut()) };
        let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
        let mut asn1 = Zeroizing::new(memory::zeroes(length)?);
        let mut start = asn1.as_mut_ptr();
        // SAFETY: the SSL keeps the session, which has not changed, so this writes the `length` bytes that `asn1`
        // has.
        unsafe { (api.i2d_SSL_SESSION)(session, &mut start) };
        // SAFETY: the SSL keeps the session.
        let lifetime_hint = unsafe { (api.SSL_SESSION_get_ticket_lifetime_hint)(session) };
        #[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on some platforms")]
        Some(SessionTicket { asn1, lifetime_hint: lifetime_hint.into() })
    }

    /// The verification result of the original handshake of a resumed session, an X509_V_ERR_* number. `None` if no
    /// session was resumed, or there was no error.
    pub fn inherited_verify_error(&self) -> Option<i32> {
        // SAFETY: `raw` is live while `self` is.
        let reused = unsafe { (self.api.SSL_session_reused)(self.raw.as_ptr()) } == 1;
        // SAFETY: `raw` is live while `self` is.
        let result = unsafe { (self.api.SSL_get_verify_result)(self.raw.as_ptr()) };
        #[allow(clippy::useless_conversion, reason = "long has 32 bits on Windows and 32-bit systems")]
        let code = i32::try_from(result).unwrap_or(i32::MAX);
        (reused && code != 0 && self.speaks_of_this_peer()).then_some(code)
    }
}

impl Running<'_> {
    /// Begins a client's handshake again, without the session that it has offered (SSL_clear(3)).
    pub fn begin_without_session(&self) -> Outcome {
        let ssl = self.0;
        // SAFETY: `raw` is live while the `Ssl` is, and runs only this operation (Ssl::hold); null removes the session.
        unsafe { (ssl.api.SSL_set_session)(ssl.raw.as_ptr(), ptr::null_mut()) };
        ssl.offers_session.set(false);
        // A failure leaves the SSL in a state in which the handshake fails.
        // SAFETY: `raw` is live while the `Ssl` is, and runs only this operation (Ssl::hold).
        unsafe { (ssl.api.SSL_clear)(ssl.raw.as_ptr()) };
        // SAFETY: `raw` is live while the `Ssl` is, and runs only this operation (Ssl::hold).
        unsafe { (ssl.api.SSL_set_connect_state)(ssl.raw.as_ptr()) };
        self.handshake()
    }
}

/// Numbers of ssl.h: SSL_TICKET_SUCCESS and SSL_TICKET_SUCCESS_RENEW as input, SSL_TICKET_RETURN_* as output.
mod number {
    use std::ffi::c_int;
    pub const SUCCESS: c_int = 5;
    pub const SUCCESS_RENEW: c_int = 6;
    pub const IGNORE: c_int = 1;
    pub const IGNORE_RENEW: c_int = 2;
    pub const USE: c_int = 3;
    pub const USE_RENEW: c_int = 4;
}

/// The callback's result that makes OpenSSL ignore a ticket.
pub(super) const IGNORE: c_int = number::IGNORE;

/// Decides whether a server accepts a ticket with OpenSSL's status. A ticket of a handshake with a pre-shared key is
/// not accepted, because the program provides the key for each handshake and may have revoked it.
///
/// # Safety
/// `session` is null or live.
pub(super) unsafe fn decide(session: *const SSL_SESSION, status: c_int) -> c_int {
    let Ok(api) = api() else {
        return number::IGNORE;
    };
    // SAFETY: null or live, by this function's contract.
    if unsafe { has_psk(api, session) } {
        return number::IGNORE;
    }
    match status {
        number::SUCCESS => number::USE,
        number::SUCCESS_RENEW => number::USE_RENEW,
        _ => number::IGNORE_RENEW,
    }
}

/// Returns whether a session comes from a handshake with a pre-shared key.
///
/// # Safety
/// `session` is null or live.
unsafe fn has_psk(api: &Api, session: *const SSL_SESSION) -> bool {
    /// obj_mac.h: NID_kx_ecdhe_psk, NID_kx_dhe_psk, NID_kx_rsa_psk and NID_kx_psk.
    const PSK_KEY_EXCHANGES: std::ops::RangeInclusive<c_int> = 1040..=1043;
    if session.is_null() {
        return false;
    }
    // SAFETY: not null, hence live (this function's contract).
    let cipher = unsafe { (api.SSL_SESSION_get0_cipher)(session) };
    // SAFETY: called only if not null; OpenSSL's ciphers are static objects.
    !cipher.is_null() && PSK_KEY_EXCHANGES.contains(&unsafe { (api.SSL_CIPHER_get_kx_nid)(cipher) })
}
