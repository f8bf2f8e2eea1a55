// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cookie parameters.

use super::address::qdtls_address;
use super::arguments::{Out, bytes, copy_out, invalid, reference};
use super::error::{ErrorSlot, qdtls_error};
use super::guard::{Handle, call, call_on, give, take_back};
use crate::cookie::{CookieKey, UnixTime, Verdict};
use crate::error::{Result, Status};
use crate::hello::ClientHello;
use crate::openssl::digest::Hash;
use crate::peer::PeerAddress;
use std::cell::RefCell;

/// What cookies are made and checked with: a hash algorithm and a secret. Listeners and connections copy it when they
/// are given one.
#[derive(Default)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_cookie {
    key: RefCell<CookieKey>,
    last_error: ErrorSlot,
}

impl Handle for qdtls_cookie {
    fn last_error(&self) -> &ErrorSlot {
        &self.last_error
    }
}

impl qdtls_cookie {
    pub(super) fn key(&self) -> CookieKey {
        self.key.borrow().clone()
    }
}

/// Makes cookie parameters: SHA-256 and the secret of this process, which it made itself and rotates.
///
/// # Safety
/// `cookie` is null or writable. The handle is freed with `qdtls_cookie_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_new(cookie: *mut *mut qdtls_cookie) -> Status {
    call("qdtls_cookie_new", || {
        // SAFETY: passed on.
        let cookie = unsafe { Out::new(cookie) }?;
        cookie.write(give(qdtls_cookie::default()));
        Ok(())
    })
}

/// Frees cookie parameters; null is ignored.
///
/// # Safety
/// `cookie` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_free(cookie: *mut qdtls_cookie) {
    // SAFETY: passed on.
    unsafe { take_back("qdtls_cookie_free", cookie) };
}

/// Sets hash algorithm, numbered as Qt's `QCryptographicHash::Algorithm`, and secret, of at least one byte. The secret
/// is copied into locked memory. `QDTLS_STATUS_UNSUPPORTED_HASH` when this OpenSSL lacks the hash; nothing changes then.
///
/// # Safety
/// `cookie` is null or a live handle; `secret` is null or readable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_set_parameters(
    cookie: *mut qdtls_cookie,
    hash: i32,
    secret: *const u8,
    length: usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_cookie_set_parameters", cookie, |cookie| {
            let key = CookieKey::new(Hash::try_from(hash)?, bytes(secret, length)?)?;
            cookie.key.replace(key);
            Ok(())
        })
    }
}

/// Writes the hash algorithm to `hash` and the secret to `secret`. In place of the process's own secret a stand-in is
/// written, which `qdtls_cookie_set_parameters` of this process takes for it. `QDTLS_STATUS_BUFFER_TOO_SMALL` when
/// `capacity` is too small; 64 bytes hold every secret that was not set by the caller.
///
/// # Safety
/// `cookie` is null or a live handle; `secret` is null or writable for `capacity` bytes, the others null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_parameters(
    cookie: *const qdtls_cookie,
    hash: *mut i32,
    secret: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_cookie_parameters", cookie, |cookie| {
            let (hash, length) = (Out::new(hash)?, Out::new(length)?);
            let key = cookie.key();
            key.secret(|value| copy_out(value, secret, capacity, length))??;
            hash.write(key.hash() as i32);
            Ok(())
        })
    }
}

/// Writes the length of the secret to `length`.
///
/// # Safety
/// `cookie` is null or a live handle; `length` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_secret_length(
    cookie: *const qdtls_cookie,
    length: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_cookie_secret_length", cookie, |cookie| {
            let length = Out::new(length)?;
            length.write(cookie.key().secret(<[u8]>::len)?);
            Ok(())
        })
    }
}

/// Makes the cookie for the client at `address` that sent the datagram `hello`, which starts with a ClientHello; at most
/// 32 bytes. `now` is in seconds since the Unix epoch.
///
/// # Safety
/// `cookie` is null or a live handle; the other pointers are null, or readable or writable for their lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_generate(
    cookie: *const qdtls_cookie,
    address: *const qdtls_address,
    hello: *const u8,
    hello_length: usize,
    now: u64,
    output: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_cookie_generate", cookie, |cookie| {
            let length = Out::new(length)?;
            let (peer, hello) = subject(address, hello, hello_length)?;
            let made = cookie.key().issue(&peer, &hello, UnixTime(now))?;
            copy_out(made.as_bytes(), output, capacity, length)
        })
    }
}

/// Writes to `valid` whether the ClientHello at the start of the datagram `hello` carries a valid cookie for the client
/// at `address`.
///
/// # Safety
/// As for `qdtls_cookie_generate`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_verify(
    cookie: *const qdtls_cookie,
    address: *const qdtls_address,
    hello: *const u8,
    hello_length: usize,
    now: u64,
    valid: *mut bool,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_cookie_verify", cookie, |cookie| {
            let valid = Out::new(valid)?;
            let (peer, hello) = subject(address, hello, hello_length)?;
            let verdict = cookie.key().judge(&peer, &hello, UnixTime(now))?;
            valid.write(matches!(verdict, Verdict::Verified));
            Ok(())
        })
    }
}

/// Writes the last error of `cookie` to `error`.
///
/// # Safety
/// `cookie` is null or a live handle; `error` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_last_error(
    cookie: *const qdtls_cookie,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: passed on.
    unsafe {
        call_on("qdtls_cookie_last_error", cookie, |cookie| {
            Out::new(error)?.write(cookie.last_error.read());
            Ok(())
        })
    }
}

/// Whom a cookie is for.
///
/// # Safety
/// The pointers are null, or readable for their lengths.
unsafe fn subject<'a>(
    address: *const qdtls_address,
    hello: *const u8,
    length: usize,
) -> Result<(PeerAddress, ClientHello<'a>)> {
    // SAFETY: passed on.
    let (address, datagram) = unsafe { (reference(address)?, bytes(hello, length)?) };
    let hello =
        ClientHello::parse(datagram).ok_or_else(|| invalid("the datagram starts with no ClientHello"))?;
    Ok((address.to_peer()?, hello))
}
