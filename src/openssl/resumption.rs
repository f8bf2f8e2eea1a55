// SPDX-License-Identifier: MIT OR Apache-2.0
//! Resuming sessions by tickets (RFC 5077).

use super::error_queue;
use super::ssl::Ssl;
use super::{Api, api};
use openssl_sys::SSL_SESSION;
use std::ffi::{c_int, c_long};
use std::ptr::{self, NonNull};
use zeroize::Zeroizing;

/// A session that a client can resume.
pub struct SessionTicket {
    /// The session, its keys included, in its ASN.1 form (i2d_SSL_SESSION(3)).
    pub asn1: Zeroizing<Vec<u8>>,
    /// The server's hint how long it is good for, in seconds.
    pub lifetime_hint: u64,
}

impl Ssl {
    /// Asks for a session to be resumed. One that cannot be used any more is none: the handshake is then a full one.
    pub(super) fn resume(&self, asn1: &[u8]) {
        if asn1.is_empty() {
            return;
        }
        let mut start = asn1.as_ptr();
        let length = c_long::try_from(asn1.len()).unwrap_or(c_long::MAX);
        // SAFETY: the bytes are readable for at least `length`; the result is null or owned here.
        let session = unsafe { (self.api.d2i_SSL_SESSION)(ptr::null_mut(), &mut start, length) };
        if !session.is_null() {
            // SAFETY: both are live; SSL_set_session(3) takes a reference of its own, so the one here is given up.
            unsafe {
                (self.api.SSL_set_session)(self.raw.as_ptr(), session);
                (self.api.SSL_SESSION_free)(session);
            }
        }
        error_queue::clear(self.api);
    }

    /// The session of a client, when the server gave a ticket for it.
    pub fn session_ticket(&self) -> Option<SessionTicket> {
        let api = self.api;
        // SAFETY: `raw` is live while `self` is; the result is null or lives as long.
        let session = NonNull::new(unsafe { (api.SSL_get_session)(self.raw.as_ptr()) })?.as_ptr();
        // SAFETY: the session is live.
        if unsafe { (api.SSL_SESSION_has_ticket)(session) } != 1 {
            return None;
        }
        // SAFETY: the session is live; null asks for the length alone.
        let length = unsafe { (api.i2d_SSL_SESSION)(session, ptr::null_mut()) };
        let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
        let mut asn1 = Zeroizing::new(vec![0; length]);
        let mut start = asn1.as_mut_ptr();
        // SAFETY: the session is live and has not changed, so that this writes as many bytes as it just said.
        unsafe { (api.i2d_SSL_SESSION)(session, &mut start) };
        // SAFETY: the session is live.
        let lifetime_hint = unsafe { (api.SSL_SESSION_get_ticket_lifetime_hint)(session) };
        #[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on some platforms")]
        Some(SessionTicket { asn1, lifetime_hint: lifetime_hint.into() })
    }

    /// What the verification of the peer had said when the session that was resumed was made (X509_V_ERR_* number);
    /// `None` when none was resumed, or nothing was wrong.
    pub fn inherited_verify_error(&self) -> Option<i32> {
        // SAFETY: `raw` is live while `self` is.
        let reused = unsafe { (self.api.SSL_session_reused)(self.raw.as_ptr()) } == 1;
        // SAFETY: as above.
        let result = unsafe { (self.api.SSL_get_verify_result)(self.raw.as_ptr()) };
        #[allow(clippy::useless_conversion, reason = "long has 32 bits on Windows and 32-bit systems")]
        let code = i32::try_from(result).unwrap_or(i32::MAX);
        (reused && code != 0).then_some(code)
    }
}

/// Numbers of ssl.h: SSL_TICKET_SUCCESS and so on come in, SSL_TICKET_RETURN_IGNORE and so on go out.
mod number {
    use std::ffi::c_int;
    pub const SUCCESS: c_int = 5;
    pub const SUCCESS_RENEW: c_int = 6;
    pub const IGNORE: c_int = 1;
    pub const IGNORE_RENEW: c_int = 2;
    pub const USE: c_int = 3;
    pub const USE_RENEW: c_int = 4;
}

/// The answer of a callback that makes OpenSSL ignore a ticket.
pub(super) const IGNORE: c_int = number::IGNORE;

/// What a server does with a ticket, given the status that OpenSSL found it in. One of a handshake with a pre-shared key
/// is not taken: the program is asked for the key each time, and may have withdrawn it.
///
/// # Safety
/// `session` is null or live.
pub(super) unsafe fn decide(session: *const SSL_SESSION, status: c_int) -> c_int {
    let Ok(api) = api() else {
        return number::IGNORE;
    };
    // SAFETY: null or live by the caller's promise.
    if unsafe { has_psk(api, session) } {
        return number::IGNORE;
    }
    match status {
        number::SUCCESS => number::USE,
        number::SUCCESS_RENEW => number::USE_RENEW,
        _ => number::IGNORE_RENEW,
    }
}

/// Whether a session came from a handshake with a pre-shared key.
///
/// # Safety
/// `session` is null or live.
unsafe fn has_psk(api: &Api, session: *const SSL_SESSION) -> bool {
    /// obj_mac.h: NID_kx_ecdhe_psk, NID_kx_dhe_psk, NID_kx_rsa_psk and NID_kx_psk.
    const PSK_KEY_EXCHANGES: std::ops::RangeInclusive<c_int> = 1040..=1043;
    if session.is_null() {
        return false;
    }
    // SAFETY: not null, hence live by the caller's promise.
    let cipher = unsafe { (api.SSL_SESSION_get0_cipher)(session) };
    // SAFETY: not null where it is called, hence a static object of OpenSSL's.
    !cipher.is_null() && PSK_KEY_EXCHANGES.contains(&unsafe { (api.SSL_CIPHER_get_kx_nid)(cipher) })
}
