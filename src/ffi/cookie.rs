// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cookie parameters.

use super::address::qdtls_address;
use super::arguments::{In, Out, OutBytes, OutSized, invalid, reference};
use super::error::{ErrorSlot, qdtls_error};
use super::handle::{Handle, HandlePlace, Held, call, call_on, take_back, write_last_error};
use crate::cookie::{Check, CookieKey, Use};
use crate::error::{Result, Status};
use crate::openssl::hmac::Hash;
use crate::unix_time::UnixTime;
use crate::wire::hello::ClientHello;
use std::cell::RefCell;

/// Cookie parameters: a hash algorithm and a secret, from which cookies are made and checked (RFC 6347, 4.2.1).
/// Listeners and connections copy them: later changes here do not affect them. One thread at a time may use the
/// handle.
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

/// Creates cookie parameters with SHA-256 and the process-wide secret, which the library generates and rotates, and
/// writes the handle to `cookie`. The caller owns it and frees it with `qdtls_cookie_free`.
///
/// # Safety
/// `cookie` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_new(cookie: *mut *mut qdtls_cookie) -> Status {
    // SAFETY: null, or writable until this call returns (this function's contract).
    let cookie = unsafe { Out::new(cookie) };
    call("qdtls_cookie_new", || {
        let (cookie, place) = (cookie.require()?, HandlePlace::new("qdtls_cookie_new")?);
        cookie.write(place.give(qdtls_cookie::default()));
        Ok(())
    })
}

/// Frees cookie parameters. Null is ignored. Copies in listeners and connections stay valid.
///
/// # Safety
/// `cookie` is null or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_free(cookie: *mut qdtls_cookie) {
    // SAFETY: null, or a live handle that its owner does not use again (this function's contract).
    unsafe { take_back("qdtls_cookie_free", cookie) };
}

/// Sets the hash algorithm, a `qdtls_hash`, and the secret of at least one byte. The secret is copied into locked
/// memory and used until it is replaced: only the process-wide secret is rotated. `QDTLS_STATUS_UNSUPPORTED_HASH`:
/// no hash has this number, or OpenSSL does not provide it. `QDTLS_STATUS_INVALID_ARGUMENT`: the secret is empty.
/// `QDTLS_STATUS_INIT_FAILED`: there is no memory, or OpenSSL failed otherwise. On failure nothing changes.
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
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let secret = unsafe { In::new(secret, length) };
    call_on("qdtls_cookie_set_parameters", cookie, |cookie| {
        let key = CookieKey::new(Hash::try_from(hash)?, secret.get()?)?;
        cookie.key.replace(key);
        Ok(())
    })
}

/// Writes the hash algorithm, a `qdtls_hash`, to `hash`, and copies the secret to `secret`, at most `capacity` bytes,
/// and its length to `length`. The process-wide secret is never disclosed: a random stand-in takes its place, which
/// `qdtls_cookie_set_parameters` accepts in this process to select the process-wide secret.
/// `QDTLS_STATUS_BUFFER_TOO_SMALL` if `capacity` is too small; a stand-in has at most 64 bytes.
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
    // SAFETY: null, or writable for `capacity` bytes until this call returns (this function's contract).
    let secret = unsafe { OutBytes::new(secret, capacity) };
    // SAFETY: each is null, or writable until this call returns (this function's contract).
    let (hash, length) = unsafe { (Out::new(hash), Out::new(length)) };
    call_on("qdtls_cookie_parameters", cookie, |cookie| {
        let (hash, length) = (hash.require()?, length.require()?);
        let key = cookie.key();
        key.secret(|value| secret.write(value, length))??;
        hash.write(key.hash() as i32);
        Ok(())
    })
}

/// Writes the length in bytes of the secret that `qdtls_cookie_parameters` returns to `length`.
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
    // SAFETY: null, or writable until this call returns (this function's contract).
    let length = unsafe { Out::new(length) };
    call_on("qdtls_cookie_secret_length", cookie, |cookie| {
        length.require()?.write(cookie.key().secret(<[u8]>::len)?);
        Ok(())
    })
}

/// Makes a cookie for the client at `address` that sent the datagram `hello`, and copies it to `output`, at most
/// `capacity` bytes, and its length, at most 32 bytes, to `length`. `hello` starts with a ClientHello, otherwise
/// `QDTLS_STATUS_INVALID_ARGUMENT`. `now` is the time in milliseconds since the Unix epoch. Other errors:
/// `QDTLS_STATUS_INVALID_ADDRESS`, `QDTLS_STATUS_BUFFER_TOO_SMALL`, `QDTLS_STATUS_RANDOM_FAILED`,
/// `QDTLS_STATUS_INIT_FAILED`.
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
    // SAFETY: null, or a structure that is live and not written during this call (this function's contract).
    let address = unsafe { reference(address) };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let hello = unsafe { In::new(hello, hello_length) };
    // SAFETY: null, or writable for `capacity` bytes until this call returns (this function's contract).
    let output = unsafe { OutBytes::new(output, capacity) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let length = unsafe { Out::new(length) };
    call_on("qdtls_cookie_generate", cookie, |cookie| {
        let length = length.require()?;
        let (peer, hello) = (address?.to_peer()?, hello_in(hello.get()?)?);
        let made = cookie.key().issue(&peer, &hello, UnixTime(now))?;
        output.write(made.as_bytes(), length)
    })
}

/// Writes to `valid` whether the ClientHello at the start of the datagram `hello` carries a valid cookie for the
/// client at `address`. The cookie must have been made for the same address, version and random, not longer before `now`
/// than `QDTLS_SETTING_COOKIE_LIFETIME_S`. `now` is in milliseconds since the Unix epoch.
/// Errors as for `qdtls_cookie_generate`.
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
    // SAFETY: null, or a structure that is live and not written during this call (this function's contract).
    let address = unsafe { reference(address) };
    // SAFETY: null, or readable for its length during this call (this function's contract), and not kept longer.
    let hello = unsafe { In::new(hello, hello_length) };
    // SAFETY: null, or writable until this call returns (this function's contract).
    let valid = unsafe { Out::new(valid) };
    call_on("qdtls_cookie_verify", cookie, |cookie| {
        let valid = valid.require()?;
        let (peer, hello) = (address?.to_peer()?, hello_in(hello.get()?)?);
        let check = cookie.key().check(&peer, &hello, UnixTime(now), Use::Listen)?;
        valid.write(matches!(check, Check::Valid(_)));
        Ok(())
    })
}

/// Writes the last error of `cookie` to `error`; its status is `QDTLS_STATUS_OK` if there was none. For a null handle it
/// is that of `qdtls_last_error`. `QDTLS_STATUS_INVALID_ARGUMENT`: `error` is null, or its `size` is not set.
///
/// # Safety
/// `cookie` is null or a live handle; `error` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_cookie_last_error(
    cookie: *const qdtls_cookie,
    error: *mut qdtls_error,
) -> Status {
    // SAFETY: null, or a live handle that only this thread uses (this function's contract).
    let cookie = unsafe { cookie.as_ref() };
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let error = unsafe { OutSized::new(error) };
    write_last_error("qdtls_cookie_last_error", cookie, error)
}

/// Returns the ClientHello at the start of a datagram.
fn hello_in(datagram: &[u8]) -> Result<ClientHello<'_>> {
    ClientHello::parse(datagram).ok_or_else(|| invalid("the datagram does not start with a ClientHello"))
}
