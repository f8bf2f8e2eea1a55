// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library as a whole: version, last error, log, settings, wiping.

use super::arguments::{Out, invalid};
use super::error::{qdtls_error, thread_error};
use super::handle::call;
use crate::error::{Result, Status};
use crate::settings::{self, Setting};
use crate::unix_time::UnixTime;
use crate::{cookie, log};
use std::ffi::{CStr, CString, c_char};
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

/// Writes the last error on this thread of a function that has no handle, or was given none, to `error`.
///
/// # Safety
/// `error` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_last_error(error: *mut qdtls_error) -> Status {
    // SAFETY: null, or writable until this call returns (contract).
    let error = unsafe { Out::new(error) };
    call("qdtls_last_error", || {
        error.require()?.write(thread_error());
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
    // SAFETY: null, or writable until this call returns (contract).
    let value = unsafe { Out::new(value) };
    call("qdtls_setting_get", || {
        value.require()?.write(setting(name)?.get());
        Ok(())
    })
}

/// Replaces the process-wide cookie secret now. Cookies made before stay valid for their time. `now` is in seconds since
/// the Unix epoch. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_cookie_rotate(now: u64) -> Status {
    call("qdtls_cookie_rotate", || cookie::rotate_process_secret(UnixTime(now)))
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
