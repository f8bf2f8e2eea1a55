// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cookie parameters.

use super::address::qdtls_address;
use super::arguments::{In, Out, OutBytes, invalid, reference};
use super::error::{ErrorSlot, qdtls_error};
use super::handle::{Handle, Held, call, call_on, give, take_back};
use crate::cookie::{Check, CookieKey};
use crate::error::{Result, Status};
use crate::openssl::hmac::Hash;
use crate::unix_time::UnixTime;
use crate::wire::hello::ClientHello;
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
    // SAFETY: null, or writable until this call returns (contract).
    let cookie = unsafe { Out::new(cookie) };
    call("qdtls_cookie_new", || {
        cookie.require()?.write(give(qdtls_cookie::default()));
        Ok(())
    })
}

/// Frees cookie parameters; null is ignored.
///
/// # Safety
/// `cookie` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_free(cookie: *mut qdtls_cookie) {
    // SAFETY: null, or a live handle whose owner gives it up with this call (contract).
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { Held::of(cookie) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let secret = unsafe { In::new(secret, length) };
    call_on("qdtls_cookie_set_parameters", cookie, |cookie| {
        let key = CookieKey::new(Hash::try_from(hash)?, secret.get()?)?;
        cookie.key.replace(key);
        Ok(())
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { Held::of(cookie) };
    // SAFETY: null, or writable for `capacity` bytes until this call returns (contract).
    let secret = unsafe { OutBytes::new(secret, capacity) };
    // SAFETY: each is null, or writable until this call returns (contract).
    let (hash, length) = unsafe { (Out::new(hash), Out::new(length)) };
    call_on("qdtls_cookie_parameters", cookie, |cookie| {
        let (hash, length) = (hash.require()?, length.require()?);
        let key = cookie.key();
        key.secret(|value| secret.write(value, length))??;
        hash.write(key.hash() as i32);
        Ok(())
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { Held::of(cookie) };
    // SAFETY: null, or writable until this call returns (contract).
    let length = unsafe { Out::new(length) };
    call_on("qdtls_cookie_secret_length", cookie, |cookie| {
        length.require()?.write(cookie.key().secret(<[u8]>::len)?);
        Ok(())
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { Held::of(cookie) };
    // SAFETY: null, or a structure that lives and stays as it is while this call runs (contract).
    let address = unsafe { reference(address) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let hello = unsafe { In::new(hello, hello_length) };
    // SAFETY: null, or writable for `capacity` bytes until this call returns (contract).
    let output = unsafe { OutBytes::new(output, capacity) };
    // SAFETY: null, or writable until this call returns (contract).
    let length = unsafe { Out::new(length) };
    call_on("qdtls_cookie_generate", cookie, |cookie| {
        let length = length.require()?;
        let (peer, hello) = (address?.to_peer()?, hello_in(hello.get()?)?);
        let made = cookie.key().issue(&peer, &hello, UnixTime(now))?;
        output.write(made.as_bytes(), length)
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { Held::of(cookie) };
    // SAFETY: null, or a structure that lives and stays as it is while this call runs (contract).
    let address = unsafe { reference(address) };
    // SAFETY: null, or readable for its length while this call runs (contract); nothing keeps the slice.
    let hello = unsafe { In::new(hello, hello_length) };
    // SAFETY: null, or writable until this call returns (contract).
    let valid = unsafe { Out::new(valid) };
    call_on("qdtls_cookie_verify", cookie, |cookie| {
        let valid = valid.require()?;
        let (peer, hello) = (address?.to_peer()?, hello_in(hello.get()?)?);
        let check = cookie.key().check(&peer, &hello, UnixTime(now))?;
        valid.write(matches!(check, Check::Valid));
        Ok(())
    })
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
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { Held::of(cookie) };
    // SAFETY: null, or writable until this call returns (contract).
    let error = unsafe { Out::new(error) };
    call_on("qdtls_cookie_last_error", cookie, |cookie| {
        error.require()?.write(cookie.last_error.read());
        Ok(())
    })
}

/// The ClientHello that a cookie is for.
fn hello_in(datagram: &[u8]) -> Result<ClientHello<'_>> {
    ClientHello::parse(datagram).ok_or_else(|| invalid("the datagram starts with no ClientHello"))
}
