// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library as a whole: version, the OpenSSL it uses, log, settings.

use super::arguments::{Out, invalid};
use super::guard::call;
use crate::error::{Result, Status};
use crate::settings::{self, Setting};
use crate::{cookie, log, openssl};
use openssl_sys::{SSL, SSL_CTX};
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::NonNull;
use zeroize::Zeroize;

const VERSION: &CStr = match CStr::from_bytes_with_nul(
    concat!("qdtls-rs ", env!("CARGO_PKG_VERSION"), " (ABI 1)", "\0").as_bytes(),
) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The number of this ABI. A program compiled against a header with another `QDTLS_ABI_VERSION` must not go on.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_abi_version() -> u32 {
    crate::ABI_VERSION
}

/// The version as text, such as "qdtls-rs 0.1.0 (ABI 1)". Static.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Uses the OpenSSL that the program uses, and refuses any other: `QDTLS_STATUS_OPENSSL_MISSING` when an address lies
/// in no library, `QDTLS_STATUS_OPENSSL_UNSUPPORTED` outside versions 1.1.1 to 3.x, `QDTLS_STATUS_OPENSSL_MISMATCH` when
/// another one is in use already. Details come from `qdtls_last_error`.
///
/// `libssl` is what the program's `DTLS_client_method()` returns, `libcrypto` what its `BIO_s_mem()` returns. A library
/// built with linked OpenSSL needs no call, but makes the same check. Any thread, any number of times.
///
/// # Safety
/// The addresses are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_openssl_attach(libssl: *const c_void, libcrypto: *const c_void) -> Status {
    call("qdtls_openssl_attach", || {
        if libssl.is_null() || libcrypto.is_null() {
            return Err(invalid("an OpenSSL address is null"));
        }
        openssl::attach(libssl, libcrypto)
    })
}

/// Readies an `SSL_CTX` that connections are to share: cookie and ALPN callbacks, and no server-side session cache. To be
/// done once, before the first `qdtls_context_new_ssl`.
///
/// # Safety
/// `context` is null or a live `SSL_CTX` of a DTLS method, of the OpenSSL in use, that no other thread is working with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_prepare(context: *mut SSL_CTX) -> Status {
    call("qdtls_context_prepare", || {
        let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
        // SAFETY: passed on.
        unsafe { openssl::context::prepare(context) }
    })
}

/// Makes an `SSL` and writes it to `ssl`; the caller owns it, until `qdtls_connection_init_tls` takes it. Any thread.
///
/// # Safety
/// `context` is null or a live `SSL_CTX` of the OpenSSL in use; `ssl` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_context_new_ssl(context: *mut SSL_CTX, ssl: *mut *mut SSL) -> Status {
    call("qdtls_context_new_ssl", || {
        let context = NonNull::new(context).ok_or_else(|| invalid("the SSL_CTX is null"))?;
        // SAFETY: passed on.
        let place = unsafe { Out::new(ssl) }?;
        // SAFETY: passed on.
        place.write(unsafe { openssl::context::new_ssl(context) }?.as_ptr());
        Ok(())
    })
}

/// Sets where warnings go, one line each, UTF-8, without line end; null for nowhere, which is the beginning. A line
/// never holds a secret. The function may be called on any thread that calls the library, and must not call the library
/// itself.
///
/// # Safety
/// `logger` can be called until another one is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_set_logger(
    logger: Option<unsafe extern "C" fn(line: *const c_char)>,
) -> Status {
    call("qdtls_set_logger", || {
        log::set_logger(logger.map(|logger| -> log::Logger {
            Box::new(move |line: &str| {
                if let Ok(line) = CString::new(line) {
                    // SAFETY: callable by the caller's promise; the line outlives the call.
                    unsafe { logger(line.as_ptr()) };
                }
            })
        }));
        Ok(())
    })
}

/// What can be tuned, each also by an environment variable that is read at first use.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingName {
    /// Bytes of the process-wide cookie secret: 16 to 64, default 32. For the next secret that is made. Environment:
    /// `QDTLS_COOKIE_SECRET_SIZE`.
    CookieSecretSize = 0,
    /// Seconds between rotations of that secret: 60 to 604800, default 3600. `QDTLS_COOKIE_ROTATION_S`.
    CookieRotationS = 1,
    /// Seconds of a cookie's time slot: 1 to 3600, default 60; a cookie lives between one and two of them.
    /// `QDTLS_COOKIE_LIFETIME_S`.
    CookieLifetimeS = 2,
    /// Milliseconds before the first retransmission: 20 to 60000, default 1000. `QDTLS_TIMEOUT_INITIAL_MS`.
    TimeoutInitialMs = 3,
    /// Milliseconds that the doubled wait does not exceed: 20 to 600000, default 60000. `QDTLS_TIMEOUT_MAX_MS`.
    TimeoutMaxMs = 4,
    /// 1 to ignore alerts that are not authenticated, default 0. `QDTLS_STRICT_ALERTS`.
    StrictAlerts = 5,
}

fn setting(number: i32) -> Result<&'static Setting> {
    let known: [(SettingName, &'static Setting); 6] = [
        (SettingName::CookieSecretSize, &settings::COOKIE_SECRET_SIZE),
        (SettingName::CookieRotationS, &settings::COOKIE_ROTATION_S),
        (SettingName::CookieLifetimeS, &settings::COOKIE_LIFETIME_S),
        (SettingName::TimeoutInitialMs, &settings::TIMEOUT_INITIAL_MS),
        (SettingName::TimeoutMaxMs, &settings::TIMEOUT_MAX_MS),
        (SettingName::StrictAlerts, &settings::STRICT_ALERTS),
    ];
    let found = known.into_iter().find(|(name, _)| *name as i32 == number);
    found.map(|(_, setting)| setting).ok_or_else(|| invalid("no setting has this number"))
}

/// Sets a `qdtls_setting` for the whole process. Out of bounds: `QDTLS_STATUS_INVALID_ARGUMENT`, nothing changed. Any
/// thread.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_setting_set(name: i32, value: u64) -> Status {
    call("qdtls_setting_set", || setting(name)?.set(value))
}

/// Writes the value of a `qdtls_setting` to `value`. Any thread.
///
/// # Safety
/// `value` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_setting_get(name: i32, value: *mut u64) -> Status {
    call("qdtls_setting_get", || {
        // SAFETY: passed on.
        let value = unsafe { Out::new(value) }?;
        value.write(setting(name)?.get());
        Ok(())
    })
}

/// Replaces the process-wide cookie secret now. Cookies made before stay valid for their time. `now` is in seconds since
/// the Unix epoch. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_cookie_rotate(now: u64) -> Status {
    call("qdtls_cookie_rotate", || cookie::rotate_process_secret(cookie::UnixTime(now)))
}

/// Overwrites memory with zeroes in a way that no compiler leaves out: for copies of secrets that a program had to make.
///
/// # Safety
/// `memory` is null or writable for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_wipe(memory: *mut u8, length: usize) -> Status {
    call("qdtls_wipe", || {
        match NonNull::new(memory) {
            None if length > 0 => return Err(invalid("the memory is null")),
            None => {}
            // SAFETY: writable for `length` bytes by the caller's promise, and used by nobody else meanwhile.
            Some(start) => unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), length) }.zeroize(),
        }
        Ok(())
    })
}
