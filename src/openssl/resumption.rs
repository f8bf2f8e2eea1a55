// SPDX-License-Identifier: MIT OR Apache-2.0
//! Session resumption by tickets (RFC 5077).

use super::error_queue;
use super::session::{Offered, Session};
use super::ssl::{Outcome, Running, Ssl};
use super::{Api, api};
use crate::error::Result;
use crate::memory::Arc;
use openssl_sys::SSL_SESSION;
use std::ffi::c_int;
use std::ptr::{self, NonNull};

impl Ssl {
    /// Offers a decoded session for resumption. One that cannot be resumed is ignored: the handshake is then a full one.
    pub(super) fn offer_session(&self, session: &Arc<Session>) {
        let Some(copy) = session.copy() else {
            return error_queue::clear(self.api);
        };
        // SAFETY: `raw` is live while `self` is, and the session while `copy` is; SSL_set_session(3) adds its own reference.
        let set = unsafe { (self.api.SSL_set_session)(self.raw.as_ptr(), copy.raw().as_ptr()) } == 1;
        let offered = set.then(|| Offered { session: Arc::clone(session), copy: copy.raw() });
        self.offered.replace(offered);
        error_queue::clear(self.api);
    }

    /// Returns whether a client offers a session of an earlier handshake.
    pub fn offers_session(&self) -> bool {
        self.offered.borrow().is_some()
    }

    /// The session of a client, if the server sent a ticket for it: the very one that was offered, if it was resumed and
    /// not renewed.
    pub fn session(&self) -> Result<Option<Arc<Session>>> {
        if !self.speaks_of_this_peer() {
            return Ok(None);
        }
        // SAFETY: `raw` is live while `self` is. The result is null or a session that the SSL keeps.
        let Some(raw) = NonNull::new(unsafe { (self.api.SSL_get_session)(self.raw.as_ptr()) }) else {
            return Ok(None);
        };
        // SAFETY: the SSL keeps the session, and nothing in this function lets OpenSSL replace it.
        if unsafe { (self.api.SSL_SESSION_has_ticket)(raw.as_ptr()) } != 1 {
            return Ok(None);
        }
        if let Some(offered) = &*self.offered.borrow() {
            // Once OpenSSL has dropped the copy, the address may be that of another session. It drops a resumed one only
            // for a session that it has made before.
            if self.is_resumed() && offered.copy == raw {
                return Ok(Some(Arc::clone(&offered.session)));
            }
        }
        // SAFETY: the SSL has a reference to it, and is live while `self` is.
        unsafe { Session::share(self.api, raw) }.map(Some)
    }

    fn is_resumed(&self) -> bool {
        // SAFETY: `raw` is live while `self` is; the function only reads.
        unsafe { (self.api.SSL_session_reused)(self.raw.as_ptr()) == 1 }
    }

    /// The verification result of the original handshake of a resumed session, an X509_V_ERR_* number. `None` if no
    /// session was resumed, or there was no error.
    pub fn inherited_verify_error(&self) -> Option<i32> {
        // SAFETY: `raw` is live while `self` is.
        let result = unsafe { (self.api.SSL_get_verify_result)(self.raw.as_ptr()) };
        #[allow(clippy::useless_conversion, reason = "long has 32 bits on Windows and 32-bit systems")]
        let code = i32::try_from(result).unwrap_or(i32::MAX);
        (code != 0 && self.is_resumed() && self.speaks_of_this_peer()).then_some(code)
    }
}

impl Running<'_> {
    /// Begins a client's handshake again, without the session that it has offered (SSL_clear(3)).
    pub fn begin_without_session(&self) -> Outcome {
        let ssl = self.0;
        // SAFETY: `raw` is live while the `Ssl` is, and runs only this operation (Ssl::hold); null removes the session.
        unsafe { (ssl.api.SSL_set_session)(ssl.raw.as_ptr(), ptr::null_mut()) };
        ssl.offered.replace(None);
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
