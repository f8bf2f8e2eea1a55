// SPDX-License-Identifier: MIT OR Apache-2.0
//! The callbacks of `SSL` and `SSL_CTX`, under the names that they have in Qt.
//!
//! Qt's `qsslcontext_openssl.cpp` refers to three of them; the rest completes the set. Each checks its arguments and
//! queries the running operation. Without an operation it refuses.

use super::events::{Events, Stage, refuse};
use super::{Api, api, bio, resumption};
use crate::host::{Psk, PskRequest, ServerName};
use crate::panic::guard;
use crate::role::Role;
use crate::timer;
use openssl_sys::{SSL, SSL_SESSION, X509_STORE_CTX};
use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};
use std::ptr;

/// The longest cookie that its length byte allows (RFC 6347, 4.2.1).
const COOKIE_CAPACITY: usize = 255;

/// Returns 0, a failure (SSL_CTX_set_cookie_generate_cb(3)). OpenSSL requests a cookie for a ClientHello without a
/// valid one, but the listener makes the cookies and OpenSSL only receives hellos with a valid one.
///
/// # Safety
/// No preconditions. It is unsafe because SSL_CTX_set_cookie_generate_cb(3) requires this type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_generate_cookie_callback(
    _ssl: *mut SSL,
    _cookie: *mut c_uchar,
    _length: *mut c_uint,
) -> c_int {
    const NAME: &str = "q_generate_cookie_callback";
    guard(NAME, 0, || refuse(0, NAME, "cookies are made by the listener"))
}

/// Compares the cookie of a ClientHello with the one that was checked before OpenSSL received the hello
/// (SSL_CTX_set_cookie_verify_cb(3)). Returns 1 if it is the same, otherwise 0.
///
/// # Safety
/// `ssl` is null or live; `cookie` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_verify_cookie_callback(
    ssl: *mut SSL,
    cookie: *const c_uchar,
    length: c_uint,
) -> c_int {
    const NAME: &str = "q_verify_cookie_callback";
    guard(NAME, 0, || {
        let cookie = match usize::try_from(length) {
            // SAFETY: not null, hence readable for its length during this call (this function's contract).
            Ok(length @ 1..=COOKIE_CAPACITY) if !cookie.is_null() => unsafe {
                std::slice::from_raw_parts(cookie, length)
            },
            _ => return refuse(0, NAME, "there is no cookie of 1 to 255 bytes"),
        };
        // SAFETY: null or live, by this function's contract.
        let accepted =
            unsafe { ask(NAME, ssl, |api, _, events| events.accepts_cookie(cookie, &random(api, ssl))) };
        accepted.map_or(0, c_int::from)
    })
}

/// Returns the random of the ClientHello that OpenSSL has processed, or zeroes if there is none.
///
/// # Safety
/// `ssl` is live.
unsafe fn random(api: &Api, ssl: *const SSL) -> [u8; 32] {
    let mut random = [0; 32];
    // SAFETY: live by this function's contract; OpenSSL writes at most `random.len()` bytes.
    unsafe { (api.SSL_get_client_random)(ssl, random.as_mut_ptr(), random.len()) };
    random
}

/// Stores an error in the peer's chain (SSL_CTX_set_verify(3)). Returns 1, so that the verification continues and
/// finds all errors; 0 if the error could not be stored. The program judges the peer after the handshake.
///
/// # Safety
/// `context` is null or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_X509DtlsCallback(ok: c_int, context: *mut X509_STORE_CTX) -> c_int {
    const NAME: &str = "q_X509DtlsCallback";
    guard(NAME, 0, || {
        if ok == 1 {
            return 1;
        }
        if context.is_null() {
            return refuse(0, NAME, "the store context is null");
        }
        // SAFETY: not null, hence live (this function's contract).
        unsafe { note_verify_error(NAME, context) }
    })
}

/// Stores the current error of `context` in the running operation.
///
/// # Safety
/// `context` is live.
unsafe fn note_verify_error(name: &'static str, context: *mut X509_STORE_CTX) -> c_int {
    let Ok(api) = api() else {
        return 0;
    };
    // SAFETY: no preconditions. The result is the index of the SSL (X509_STORE_CTX_get_ex_data(3)).
    let index = unsafe { (api.SSL_get_ex_data_X509_STORE_CTX_idx)() };
    // SAFETY: the context is live by this function's contract. OpenSSL stores null or an SSL at the index.
    let ssl = unsafe { (api.X509_STORE_CTX_get_ex_data)(context, index) }.cast::<SSL>();
    // SAFETY: the context is live by this function's contract.
    let code = unsafe { (api.X509_STORE_CTX_get_error)(context) };
    // SAFETY: the context is live by this function's contract.
    let depth = unsafe { (api.X509_STORE_CTX_get_error_depth)(context) };
    // SAFETY: `ssl` is null or the SSL that runs this verification, which stays live until it returns.
    unsafe { ask(name, ssl, |_, _, events| events.note_verify_error(code, depth)) }.map_or(0, c_int::from)
}

/// Provides a client's identity and pre-shared key (SSL_set_psk_client_callback(3)). Returns the key's length; 0 ends
/// the handshake.
///
/// # Safety
/// `ssl` is null or live, `hint` null or a C string. `identity` is null or writable for `identity_capacity` bytes, a
/// terminating zero included, and `key` null or writable for `key_capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_PSK_client_callback(
    ssl: *mut SSL,
    hint: *const c_char,
    identity: *mut c_char,
    identity_capacity: c_uint,
    key: *mut c_uchar,
    key_capacity: c_uint,
) -> c_uint {
    const NAME: &str = "q_PSK_client_callback";
    guard(NAME, 0, || {
        if identity.is_null() || key.is_null() {
            return refuse(0, NAME, "an output pointer is null");
        }
        let Some(max_identity) = (identity_capacity as usize).checked_sub(1) else {
            return refuse(0, NAME, "there is no room for an identity");
        };
        let request = PskRequest {
            role: Role::Client,
            // SAFETY: null or a C string by this function's contract; used in this callback only.
            text: unsafe { text(hint) },
            max_identity,
            max_key: key_capacity as usize,
        };
        // SAFETY: null or live, by this function's contract.
        let Some(psk) = (unsafe { psk(NAME, ssl, &request) }) else {
            return 0;
        };
        // SAFETY: not null, hence writable for `max_identity` bytes and the zero (this function's contract).
        // `Events::psk` returns an identity of at most `max_identity` bytes, in memory of this library.
        unsafe {
            ptr::copy_nonoverlapping(psk.identity.as_ptr(), identity.cast(), psk.identity.len());
            identity.add(psk.identity.len()).write(0);
        }
        // SAFETY: not null, hence writable for `max_key` bytes (this function's contract); `Events::psk` returns no
        // longer key.
        unsafe { give_key(&psk.key, key) }
    })
}

/// Provides a server's pre-shared key (SSL_set_psk_server_callback(3)). Returns its length; 0 ends the handshake.
///
/// # Safety
/// `ssl` is null or live, `identity` null or a C string, `key` null or writable for `key_capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_PSK_server_callback(
    ssl: *mut SSL,
    identity: *const c_char,
    key: *mut c_uchar,
    key_capacity: c_uint,
) -> c_uint {
    const NAME: &str = "q_PSK_server_callback";
    guard(NAME, 0, || {
        if key.is_null() {
            return refuse(0, NAME, "an output pointer is null");
        }
        let request = PskRequest {
            role: Role::Server,
            // SAFETY: null or a C string by this function's contract; used in this callback only.
            text: unsafe { text(identity) },
            max_identity: 0,
            max_key: key_capacity as usize,
        };
        // SAFETY: null or live, by this function's contract.
        let psk = unsafe { psk(NAME, ssl, &request) };
        // SAFETY: not null, hence writable for `max_key` bytes (this function's contract); `Events::psk` returns no
        // longer key.
        psk.map_or(0, |psk| unsafe { give_key(&psk.key, key) })
    })
}

/// Selects a server's application protocol (SSL_CTX_set_alpn_select_cb(3)). If there is no common one, the handshake
/// continues without ALPN.
///
/// # Safety
/// `ssl` is null or live; the outputs are null or writable; `offered` is null or readable for its length.
pub unsafe extern "C" fn select_alpn(
    ssl: *mut SSL,
    chosen: *mut *const c_uchar,
    chosen_length: *mut c_uchar,
    offered: *const c_uchar,
    offered_length: c_uint,
    _argument: *mut c_void,
) -> c_int {
    const NAME: &str = "select_alpn";
    /// tls1.h: SSL_TLSEXT_ERR_OK.
    const OK: c_int = 0;
    /// tls1.h: SSL_TLSEXT_ERR_NOACK.
    const NOT_ACKNOWLEDGED: c_int = 3;
    guard(NAME, NOT_ACKNOWLEDGED, || {
        if chosen.is_null() || chosen_length.is_null() || offered.is_null() {
            return NOT_ACKNOWLEDGED;
        }
        // SAFETY: not null, hence readable for its length during this call (this function's contract).
        let offered = unsafe { std::slice::from_raw_parts(offered, offered_length as usize) };
        // SAFETY: null or live, by this function's contract.
        let name = unsafe { ask(NAME, ssl, |_, _, events| events.select_alpn(offered)) }.flatten();
        let Some(name) = name else {
            return NOT_ACKNOWLEDGED;
        };
        // SAFETY: both are not null, hence writable (this function's contract). The name points into the client's
        // list, as the manual page allows.
        unsafe {
            chosen.write(name.as_ptr());
            chosen_length.write(c_uchar::try_from(name.len()).unwrap_or(0));
        }
        OK
    })
}

/// Has the program choose a context for the name that a client asks for (SSL_CTX_set_tlsext_servername_callback(3)).
///
/// # Safety
/// `ssl` is null or live; `alert` is null or writable.
pub unsafe extern "C" fn select_context(ssl: *mut SSL, alert: *mut c_int, _argument: *mut c_void) -> c_int {
    const NAME: &str = "select_context";
    /// tls1.h: SSL_TLSEXT_ERR_OK, SSL_TLSEXT_ERR_ALERT_FATAL, SSL_TLSEXT_ERR_NOACK.
    const OK: c_int = 0;
    const REFUSED: c_int = 2;
    const NOT_ACKNOWLEDGED: c_int = 3;
    /// RFC 6066, 3.
    const UNRECOGNIZED_NAME: c_int = 112;
    guard(NAME, REFUSED, || {
        // SAFETY: null or live, by this function's contract.
        let answer = unsafe { ask(NAME, ssl, |api, stage, events| choose(api, stage, events, ssl)) };
        match answer {
            Some(Some(true)) => OK,
            None | Some(None) => NOT_ACKNOWLEDGED,
            Some(Some(false)) => {
                if !alert.is_null() {
                    // SAFETY: not null, hence writable (this function's contract).
                    unsafe { alert.write(UNRECOGNIZED_NAME) };
                }
                REFUSED
            }
        }
    })
}

/// Returns whether the client gets a context; `None` if it asks for no name.
///
/// # Safety
/// `ssl` is live.
unsafe fn choose(api: &Api, stage: &Stage, events: &dyn Events, ssl: *mut SSL) -> Option<bool> {
    /// tls1.h: TLSEXT_NAMETYPE_host_name.
    const HOST_NAME: c_int = 0;
    // SAFETY: live by this function's contract. The name is null or a C string that the SSL keeps.
    let name = unsafe { text((api.SSL_get_servername)(ssl, HOST_NAME)) }?;
    match stage.run_program(api, || events.select_context(name)) {
        ServerName::Keep => Some(true),
        ServerName::Refuse => Some(false),
        ServerName::Switch(context) => {
            // SAFETY: both are live; the SSL takes a reference to the context.
            let set = unsafe { (api.SSL_set_SSL_CTX)(ssl, context.raw().as_ptr()) };
            Some(!set.is_null())
        }
    }
}

/// Decides whether a server accepts a ticket (SSL_CTX_set_session_ticket_cb(3)).
///
/// # Safety
/// `session` is null or live.
pub unsafe extern "C" fn use_ticket(
    _ssl: *mut SSL,
    session: *mut SSL_SESSION,
    _key_name: *const c_uchar,
    _key_name_length: usize,
    status: c_int,
    _argument: *mut c_void,
) -> c_int {
    // SAFETY: null or live, by this function's contract.
    guard("use_ticket", resumption::IGNORE, || unsafe { resumption::decide(session, status) })
}

/// Returns the next retransmission interval in microseconds (DTLS_set_timer_cb(3)).
///
/// # Safety
/// `ssl` is null or live.
pub unsafe extern "C" fn timer_length(ssl: *mut SSL, previous: c_uint) -> c_uint {
    const NAME: &str = "timer_length";
    guard(NAME, 1_000_000, || {
        // SAFETY: null or live, by this function's contract.
        let interval = unsafe { ask(NAME, ssl, |_, _, events| events.next_interval(previous)) };
        interval.unwrap_or_else(|| timer::next_interval_us(previous))
    })
}

/// Asks the program for a pre-shared key.
///
/// # Safety
/// `ssl` is null, or live until this function has returned.
unsafe fn psk(callback: &'static str, ssl: *mut SSL, request: &PskRequest<'_>) -> Option<Psk> {
    // SAFETY: null or live, by this function's contract.
    let answer =
        unsafe { ask(callback, ssl, |api, stage, events| stage.run_program(api, || events.psk(request))) };
    answer.flatten()
}

/// Queries the operation that runs on `ssl`. Logs and returns `None` if there is none.
///
/// # Safety
/// `ssl` is null, or live until `question` has returned.
pub(super) unsafe fn ask<R>(
    callback: &'static str,
    ssl: *mut SSL,
    question: impl FnOnce(&Api, &Stage, &dyn Events) -> R,
) -> Option<R> {
    let api = api().ok()?;
    let bio = match ssl.is_null() {
        true => ptr::null_mut(),
        // SAFETY: not null, hence live (this function's contract).
        false => unsafe { (api.SSL_get_rbio)(ssl) },
    };
    // SAFETY: null, or live because the live SSL owns it. The stage is not used after this function has returned.
    let stage = unsafe { bio::stage_of(api, bio) };
    let answer = stage.and_then(|stage| stage.ask(|events| question(api, stage, events)));
    match answer {
        None => refuse(None, callback, "no operation of this library runs on the SSL"),
        answer => answer,
    }
}

/// Returns the bytes of a C string; `None` for null.
///
/// # Safety
/// `text` is null or a C string that is not written while the result is used.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: not null, hence a C string that outlives the result's use (this function's contract).
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Copies a key to OpenSSL's buffer. Returns its length.
///
/// # Safety
/// `place` is writable for the key's length.
unsafe fn give_key(key: &[u8], place: *mut c_uchar) -> c_uint {
    // SAFETY: writable for the key's length by this function's contract. The key is in memory of this library, which
    // does not overlap OpenSSL's buffer.
    unsafe { ptr::copy_nonoverlapping(key.as_ptr(), place, key.len()) };
    c_uint::try_from(key.len()).unwrap_or(0)
}
