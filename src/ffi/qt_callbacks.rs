// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenSSL's callbacks under the names that Qt's file gives them.
//!
//! Qt's `qsslcontext_openssl.cpp` refers to three of them; the rest completes the set, so that whoever used one of Qt's
//! finds ours. Each checks what it is given, finds the session it is about, and asks that.

use super::guard::guard;
use crate::cookie::Cookie;
use crate::log;
use crate::openssl::{api, bio, context, ssl};
use crate::record::Role;
use crate::session::{Session, VerifyError};
use crate::sink::PskRequest;
use crate::timer;
use openssl_sys::{BIO, SSL, SSL_SESSION, X509_STORE_CTX};
use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint, c_void};
use std::ptr;

/// ssl.h: DTLS1_COOKIE_LENGTH less one, the most that fits a cookie's length byte (RFC 6347, 4.2.1).
const COOKIE_CAPACITY: usize = 255;

/// Numbers of ssl.h: SSL_TICKET_SUCCESS and so on come in, SSL_TICKET_RETURN_IGNORE and so on go out.
mod ticket {
    use std::ffi::c_int;
    pub const SUCCESS: c_int = 5;
    pub const SUCCESS_RENEW: c_int = 6;
    pub const IGNORE: c_int = 1;
    pub const IGNORE_RENEW: c_int = 2;
    pub const USE: c_int = 3;
    pub const USE_RENEW: c_int = 4;
}

/// Makes the cookie for the ClientHello that DTLSv1_listen(3) is looking at; 0 on failure
/// (SSL_CTX_set_cookie_generate_cb(3)).
///
/// # Safety
/// `ssl` is null or live; `cookie` is null or writable for 255 bytes; `length` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_generate_cookie_callback(
    ssl: *mut SSL,
    cookie: *mut c_uchar,
    length: *mut c_uint,
) -> c_int {
    const NAME: &str = "q_generate_cookie_callback";
    guard(NAME, 0, || {
        // SAFETY: passed on; the session is used within this callback.
        let Some(session) = (unsafe { ssl::session_of(ssl) }) else {
            return refuse(NAME, "there is no connection of this library behind the SSL");
        };
        if cookie.is_null() || length.is_null() {
            return refuse(NAME, "an output pointer is null");
        }
        match session.make_cookie() {
            Err(error) => refuse(NAME, &error.to_string()),
            Ok(made) => {
                let bytes = bounded(&made);
                // SAFETY: `cookie` holds COOKIE_CAPACITY bytes, `length` is writable, neither is null.
                unsafe {
                    ptr::copy_nonoverlapping(bytes.as_ptr(), cookie, bytes.len());
                    length.write(bytes.len() as c_uint);
                }
                1
            }
        }
    })
}

fn bounded(cookie: &Cookie) -> &[u8] {
    let bytes = cookie.as_bytes();
    bytes.get(..COOKIE_CAPACITY).unwrap_or(bytes)
}

/// Checks the cookie of the ClientHello that DTLSv1_listen(3) is looking at; 1 when it is valid
/// (SSL_CTX_set_cookie_verify_cb(3)).
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
        // SAFETY: passed on; the session is used within this callback.
        let Some(session) = (unsafe { ssl::session_of(ssl) }) else {
            return refuse(NAME, "there is no connection of this library behind the SSL");
        };
        match usize::try_from(length) {
            Ok(length @ 1..=COOKIE_CAPACITY) if !cookie.is_null() => {
                // SAFETY: not null, and readable for its length by OpenSSL's promise.
                let cookie = unsafe { std::slice::from_raw_parts(cookie, length) };
                session
                    .check_cookie(cookie)
                    .map_or_else(|error| refuse(NAME, &error.to_string()), c_int::from)
            }
            _ => refuse(NAME, "there is no cookie of 1 to 255 bytes"),
        }
    })
}

/// Notes an error in the peer's chain; returns 1, so that the verification goes on and finds all of them
/// (SSL_CTX_set_verify(3)). The verdict is the caller's, after the handshake.
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
        // SAFETY: passed on; the session is used within this callback.
        let Some((session, code, depth)) = (unsafe { ssl::verification_of(context) }) else {
            return refuse(NAME, "there is no connection of this library behind the store context");
        };
        session.note_verify_error(VerifyError { code, depth });
        1
    })
}

/// Gives a client's pre-shared key; 0 ends the handshake (SSL_set_psk_client_callback(3)).
///
/// # Safety
/// `ssl` is null or live, `hint` null or a C string; `identity` and `key` are null or writable, the former for
/// `identity_capacity` bytes, of which the last is for a terminating zero, the latter for `key_capacity` bytes.
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
        // SAFETY: passed on; the session is used within this callback.
        let Some(session) = (unsafe { ssl::session_of(ssl) }) else {
            return refuse(NAME, "there is no connection of this library behind the SSL");
        };
        if identity.is_null() || key.is_null() {
            return refuse(NAME, "an output pointer is null");
        }
        let request = PskRequest {
            role: Role::Client,
            // SAFETY: null or a C string, which outlives this callback.
            text: unsafe { text(hint) },
            max_identity: (identity_capacity as usize).saturating_sub(1),
            max_key: key_capacity as usize,
        };
        let Some(psk) = session.psk(&request) else {
            return 0;
        };
        if identity_capacity == 0 {
            return refuse(NAME, "there is no place for an identity");
        }
        // SAFETY: `psk` has checked both lengths against the capacities, less one for the zero.
        unsafe {
            ptr::copy_nonoverlapping(psk.identity.as_ptr(), identity.cast(), psk.identity.len());
            identity.add(psk.identity.len()).write(0);
            give_key(psk.key.as_slice(), key)
        }
    })
}

/// Gives a server's pre-shared key; 0 ends the handshake (SSL_set_psk_server_callback(3)).
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
        // SAFETY: passed on; the session is used within this callback.
        let Some(session) = (unsafe { ssl::session_of(ssl) }) else {
            return refuse(NAME, "there is no connection of this library behind the SSL");
        };
        if key.is_null() {
            return refuse(NAME, "an output pointer is null");
        }
        let request = PskRequest {
            role: Role::Server,
            // SAFETY: null or a C string, which outlives this callback.
            text: unsafe { text(identity) },
            max_identity: 0,
            max_key: key_capacity as usize,
        };
        // SAFETY: `psk` has checked the length against the capacity.
        session.psk(&request).map_or(0, |psk| unsafe { give_key(psk.key.as_slice(), key) })
    })
}

/// Reads the next record of the datagram under way into `buffer`; -1 with the retry flag when there is none. A record
/// that does not fit is dropped, and so is its rest (BIO_read(3)).
///
/// # Safety
/// `bio` is null or live; `buffer` is null or writable for `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_read(bio: *mut BIO, buffer: *mut c_char, capacity: c_int) -> c_int {
    const NAME: &str = "q_dgram_read";
    guard(NAME, -1, || {
        // SAFETY: passed on.
        let Some(session) = (unsafe { session_behind(bio, NAME) }) else {
            return -1;
        };
        let capacity = match usize::try_from(capacity) {
            Ok(capacity @ 1..) if !buffer.is_null() => capacity,
            _ => return refuse::<c_int>(NAME, "the buffer is null or empty") - 1,
        };
        let Some(record) = session.next_record() else {
            // SAFETY: the BIO is ours and live, or there would be no session.
            unsafe { retry_read(bio) };
            return -1;
        };
        let count = record.len().min(capacity);
        // SAFETY: both are valid for `count` bytes, and the caller's datagram is not OpenSSL's buffer.
        unsafe { ptr::copy_nonoverlapping(record.as_ptr(), buffer.cast(), count) };
        c_int::try_from(count).unwrap_or(-1)
    })
}

/// Sends one datagram (BIO_write(3)).
///
/// # Safety
/// `bio` is null or live; `datagram` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_write(bio: *mut BIO, datagram: *const c_char, length: c_int) -> c_int {
    const NAME: &str = "q_dgram_write";
    guard(NAME, -1, || {
        // SAFETY: passed on.
        let Some(session) = (unsafe { session_behind(bio, NAME) }) else {
            return -1;
        };
        match usize::try_from(length) {
            Ok(count @ 1..) if !datagram.is_null() => {
                // SAFETY: not null, and readable for its length by the caller's promise.
                session.send(unsafe { std::slice::from_raw_parts(datagram.cast(), count) });
                length
            }
            _ => refuse::<c_int>(NAME, "the datagram is null or empty") - 1,
        }
    })
}

/// Sends a C string as one datagram (BIO_puts(3)).
///
/// # Safety
/// `bio` is null or live; `text` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_puts(bio: *mut BIO, text: *const c_char) -> c_int {
    const NAME: &str = "q_dgram_puts";
    guard(NAME, -1, || {
        if text.is_null() {
            return refuse::<c_int>(NAME, "the text is null") - 1;
        }
        // SAFETY: not null, hence a C string.
        let length = unsafe { CStr::from_ptr(text) }.count_bytes();
        // SAFETY: passed on; the text is readable for its length.
        c_int::try_from(length).map_or(-1, |length| unsafe { q_dgram_write(bio, text, length) })
    })
}

/// Answers what OpenSSL asks of a datagram BIO (BIO_ctrl(3)).
///
/// # Safety
/// `bio` is null or live. `_pointer` is not used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_ctrl(
    bio: *mut BIO,
    command: c_int,
    number: c_long,
    _pointer: *mut c_void,
) -> c_long {
    guard("q_dgram_ctrl", 0, || {
        // SAFETY: passed on; the session is used within this callback. A BIO without one, on its way in or out, has
        // nothing to say.
        let session = api().ok().and_then(|api| unsafe { bio::session_of(api, bio) });
        session.map_or(0, |session| bio::control(session, command, number))
    })
}

/// Readies a new BIO (BIO_meth_set_create(3)).
///
/// # Safety
/// `bio` is null or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_create(bio: *mut BIO) -> c_int {
    const NAME: &str = "q_dgram_create";
    guard(NAME, 0, || match api() {
        Ok(api) if !bio.is_null() => {
            // SAFETY: not null, hence live.
            unsafe { bio::set_initialised(api, bio) };
            1
        }
        _ => refuse(NAME, "the BIO is null"),
    })
}

/// A BIO goes away; it owns nothing (BIO_meth_set_destroy(3)).
///
/// # Safety
/// `bio` is null or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn q_dgram_destroy(bio: *mut BIO) -> c_int {
    c_int::from(!bio.is_null())
}

/// Chooses a server's application protocol (SSL_CTX_set_alpn_select_cb(3)); without a common one the handshake goes on
/// without.
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
    /// tls1.h: SSL_TLSEXT_ERR_OK.
    const OK: c_int = 0;
    /// tls1.h: SSL_TLSEXT_ERR_NOACK.
    const NOT_ACKNOWLEDGED: c_int = 3;
    guard("select_alpn", NOT_ACKNOWLEDGED, || {
        if chosen.is_null() || chosen_length.is_null() || offered.is_null() {
            return NOT_ACKNOWLEDGED;
        }
        // SAFETY: passed on; the session is used within this callback.
        let Some(session) = (unsafe { ssl::session_of(ssl) }) else {
            return NOT_ACKNOWLEDGED;
        };
        // SAFETY: not null, and readable for its length by OpenSSL's promise.
        let offered = unsafe { std::slice::from_raw_parts(offered, offered_length as usize) };
        let Some(name) = session.select_alpn(offered) else {
            return NOT_ACKNOWLEDGED;
        };
        // SAFETY: both outputs are writable. The choice points into the client's list, as the manual page allows.
        unsafe {
            chosen.write(name.as_ptr());
            chosen_length.write(c_uchar::try_from(name.len()).unwrap_or(0));
        }
        OK
    })
}

/// Decides whether a server takes a ticket (SSL_CTX_set_session_ticket_cb(3)). One of a handshake with a pre-shared key
/// is not taken: the program is asked for the key each time, and may have withdrawn it.
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
    guard("use_ticket", ticket::IGNORE, || {
        // SAFETY: passed on.
        let refused = unsafe { context::has_psk(session) };
        match status {
            _ if refused => ticket::IGNORE,
            ticket::SUCCESS => ticket::USE,
            ticket::SUCCESS_RENEW => ticket::USE_RENEW,
            _ => ticket::IGNORE_RENEW,
        }
    })
}

/// The length of the next retransmission timer (DTLS_set_timer_cb(3)).
///
/// # Safety
/// There are no demands; `unsafe` is the type that OpenSSL's table asks for.
pub unsafe extern "C" fn timer_length(_ssl: *mut SSL, previous: c_uint) -> c_uint {
    guard("timer_length", 1_000_000, || timer::next_interval_us(previous))
}

/// Says why a callback refuses, and gives its refusal, which is 0.
fn refuse<T: From<bool>>(callback: &str, why: &str) -> T {
    log::warn(format_args!("{callback}: {why}"));
    T::from(false)
}

/// # Safety
/// `text` is null or a C string that outlives the callback it is used in.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: not null, hence a C string.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// # Safety
/// `place` is writable for the key's length.
unsafe fn give_key(key: &[u8], place: *mut c_uchar) -> c_uint {
    // SAFETY: the caller's promise; a key of ours cannot overlap OpenSSL's buffer.
    unsafe { ptr::copy_nonoverlapping(key.as_ptr(), place, key.len()) };
    c_uint::try_from(key.len()).unwrap_or(0)
}

/// The session a BIO serves, with its retry flags cleared for the operation that begins.
///
/// # Safety
/// `bio` is null or live, and the session is used up within the callback.
unsafe fn session_behind<'a>(bio: *mut BIO, callback: &str) -> Option<&'a Session> {
    let api = api().ok()?;
    // SAFETY: passed on.
    let session = unsafe { bio::session_of(api, bio) };
    match session {
        // SAFETY: a BIO with a session is ours and live.
        Some(_) => unsafe { bio::clear_retry(api, bio) },
        None => log::warn(format_args!("{callback}: there is no connection of this library behind the BIO")),
    }
    session
}

/// # Safety
/// `bio` is a live BIO of ours.
unsafe fn retry_read(bio: *mut BIO) {
    if let Ok(api) = api() {
        // SAFETY: passed on.
        unsafe { bio::set_retry_read(api, bio) };
    }
}
