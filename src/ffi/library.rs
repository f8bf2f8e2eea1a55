// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions of the library as a whole: version, last error, log, settings, wiping.

use super::arguments::{Out, OutSized, invalid};
use super::error::{qdtls_error, thread_error};
use super::handle::call;
use crate::cookie;
use crate::error::{Result, Status};
use crate::settings::{self, Setting};
use std::ffi::{CStr, c_char};
use std::ptr::NonNull;
use zeroize::Zeroize;

const VERSION: &CStr = match CStr::from_bytes_with_nul(
    concat!("qdtls-rs ", env!("CARGO_PKG_VERSION"), " (ABI 4)", "\0").as_bytes(),
) {
    Ok(version) => version,
    Err(_) => c"",
};

/// Returns the ABI version of the library. A program compiled with a different `QDTLS_ABI_VERSION` must not use it.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_abi_version() -> u32 {
    crate::ABI_VERSION
}

/// Returns the version as static, null-terminated text, such as "qdtls-rs 0.1.0 (ABI 4)".
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Writes this thread's last error of a function that has no handle, or was given a null one, to `error`. Its status
/// is `QDTLS_STATUS_OK` if there was none. A successful call does not clear it.
///
/// # Safety
/// `error` is null or writable for its `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_last_error(error: *mut qdtls_error) -> Status {
    // SAFETY: null, or writable for its size until this call returns (this function's contract).
    let error = unsafe { OutSized::new(error) };
    call("qdtls_last_error", || error.write(&thread_error(), size_of::<qdtls_error>()))
}

/// The process-wide settings. Each takes its initial value from an environment variable, read at first use.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingName {
    /// The size of the process-wide cookie secret: 16 to 64 bytes, default 32. Applies to the next secret generated.
    /// Environment variable: `QDTLS_COOKIE_SECRET_SIZE`.
    CookieSecretSize = 0,
    /// The time between rotations of that secret: 60 to 604800 seconds, default 3600. `QDTLS_COOKIE_ROTATION_S`.
    CookieRotationS = 1,
    /// The time for which a cookie is accepted: 1 to 3600 seconds, default 600.
    /// `QDTLS_COOKIE_LIFETIME_S`.
    CookieLifetimeS = 2,
    /// The time before the first retransmission (RFC 6347, 4.2.4.1), as long as no round trip was measured: 20 to 60000
    /// milliseconds, default 400. `QDTLS_TIMEOUT_INITIAL_MS`.
    TimeoutInitialMs = 3,
    /// The limit of the doubling retransmission timeout: 20 to 600000 milliseconds, default 60000.
    /// `QDTLS_TIMEOUT_MAX_MS`.
    TimeoutMaxMs = 4,
    /// 1 ignores unauthenticated alerts during a handshake; default 0. `QDTLS_STRICT_ALERTS`.
    StrictAlerts = 5,
    /// The time for which a shared context is kept after its last user: 0 to 3600 seconds, default 60; 0 drops it at
    /// once. See `qdtls_context_retention`. `QDTLS_CONTEXT_KEEP_S`.
    ContextKeepS = 6,
    /// The shortest time before the first retransmission of a flight, when the round trip is known: 20 to 60000
    /// milliseconds, default 100. `QDTLS_TIMEOUT_MIN_MS`.
    TimeoutMinMs = 7,
    /// 1 puts the records of a flight into as few datagrams as the MTU allows (RFC 6347, 4.1.1); 0 sends each record in
    /// a datagram of its own; default 1. Applies to the next init TLS. `QDTLS_COALESCE_RECORDS`.
    CoalesceRecords = 8,
    /// 1 writes the session keys of connections to the file that the environment variable `SSLKEYLOGFILE` names, in the NSS
    /// key log format (SSL_CTX_set_keylog_callback(3)); default 0. Anyone with the file can decrypt what is sent: for
    /// debugging only. Applies to the next `qdtls_context_prepare`. A context with a callback of the program's keeps
    /// that. `QDTLS_KEY_LOG`.
    KeyLog = 9,
}

fn setting(number: i32) -> Result<&'static Setting> {
    let known: [(SettingName, &'static Setting); 10] = [
        (SettingName::CookieSecretSize, &settings::COOKIE_SECRET_SIZE),
        (SettingName::CookieRotationS, &settings::COOKIE_ROTATION_S),
        (SettingName::CookieLifetimeS, &settings::COOKIE_LIFETIME_S),
        (SettingName::TimeoutInitialMs, &settings::TIMEOUT_INITIAL_MS),
        (SettingName::TimeoutMaxMs, &settings::TIMEOUT_MAX_MS),
        (SettingName::StrictAlerts, &settings::STRICT_ALERTS),
        (SettingName::ContextKeepS, &settings::CONTEXT_KEEP_S),
        (SettingName::TimeoutMinMs, &settings::TIMEOUT_MIN_MS),
        (SettingName::CoalesceRecords, &settings::COALESCE_RECORDS),
        (SettingName::KeyLog, &settings::KEY_LOG),
    ];
    let found = known.into_iter().find(|(name, _)| *name as i32 == number);
    found.map(|(_, setting)| setting).ok_or_else(|| invalid("no setting has this number"))
}

/// Sets a `qdtls_setting` for the whole process. A value out of range gives `QDTLS_STATUS_INVALID_ARGUMENT` and
/// changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_setting_set(name: i32, value: u64) -> Status {
    call("qdtls_setting_set", || setting(name)?.set(value))
}

/// Writes the value of a `qdtls_setting` to `value`.
///
/// # Safety
/// `value` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_setting_get(name: i32, value: *mut u64) -> Status {
    // SAFETY: null, or writable until this call returns (this function's contract).
    let value = unsafe { Out::new(value) };
    call("qdtls_setting_get", || {
        value.require()?.write(setting(name)?.get());
        Ok(())
    })
}

/// Replaces the process-wide cookie secret: new cookies are made with another one from now on. Cookies made before stay
/// valid until they expire, or until fifteen more rotations. After a leak call `qdtls_cookie_revoke` instead.
/// `QDTLS_STATUS_RANDOM_FAILED`, `QDTLS_STATUS_INIT_FAILED`: the previous secret stays in use.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_cookie_rotate() -> Status {
    call("qdtls_cookie_rotate", cookie::rotate_process_secret)
}

/// As `qdtls_cookie_rotate`, for a secret that has leaked: no cookie made before is valid any more. Clients that have
/// received one, and not returned it yet, get another. On failure the previous secrets stay in use.
#[unsafe(no_mangle)]
pub extern "C" fn qdtls_cookie_revoke() -> Status {
    call("qdtls_cookie_revoke", cookie::revoke_process_secret)
}

/// Overwrites memory with zeroes, which no compiler optimises away, to erase copies of secrets.
///
/// # Safety
/// `memory` is null or writable for `length` bytes, which no other code uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qdtls_wipe(memory: *mut u8, length: usize) -> Status {
    call("qdtls_wipe", || {
        match NonNull::new(memory) {
            None if length > 0 => return Err(invalid("the memory is null")),
            None => {}
            Some(_) if isize::try_from(length).is_err() => return Err(invalid("a length is out of range")),
            // SAFETY: not null, at most `isize::MAX` bytes; writable for `length` bytes and unused by other code during this call (this
            // function's contract).
            Some(start) => unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), length) }.zeroize(),
        }
        Ok(())
    })
}
