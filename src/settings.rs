// SPDX-License-Identifier: MIT OR Apache-2.0
//! Process-wide settings, changed without a rebuild by environment variable or `qdtls_setting_set` (R1).
//!
//! Each setting is a number with bounds. The environment is read once for all of them, when the library gets to know
//! its OpenSSL or a setting is used first. A value that is not a number or out of bounds is logged, and the default
//! applies.

#![forbid(unsafe_code)]

use crate::error::{Error, Result, Status};
use crate::log::{self, Kind};
use std::ffi::OsString;
use std::sync::atomic::{AtomicU64, Ordering};

/// One number with its bounds.
pub struct Setting {
    variable: &'static str,
    default: u64,
    minimum: u64,
    maximum: u64,
    value: AtomicU64,
}

/// Marks a setting whose environment variable has not been read; outside the bounds of every setting.
const UNREAD: u64 = u64::MAX;

/// The size of the process-wide cookie secret in bytes. The default is the output length of HMAC-SHA-256: a shorter
/// key weakens the HMAC, a longer one does not strengthen it significantly (RFC 2104, 3).
pub static COOKIE_SECRET_SIZE: Setting = Setting::new("QDTLS_COOKIE_SECRET_SIZE", 32, 16, 64);

/// The time in seconds after which the process-wide cookie secret is replaced. Cookies made with the previous secret
/// are accepted until they expire, so that rotation does not break handshakes in progress.
pub static COOKIE_ROTATION_S: Setting = Setting::new("QDTLS_COOKIE_ROTATION_S", 3600, 60, 7 * 24 * 3600);

/// The time in seconds for which a cookie is accepted. The default outlives a handshake attempt with all its
/// retransmissions (I4), of a client with OpenSSL's timers too. The clocks of servers that share a secret may differ by as
/// much.
pub static COOKIE_LIFETIME_S: Setting = Setting::new("QDTLS_COOKIE_LIFETIME_S", 600, 1, 3600);

/// The time in milliseconds before the first retransmission of a flight, as long as no round trip was measured. RFC
/// 9147, 5.8.2 recommends 1 second, and 400 milliseconds where people wait.
pub static TIMEOUT_INITIAL_MS: Setting = Setting::new("QDTLS_TIMEOUT_INITIAL_MS", 400, 20, 60_000);

/// The shortest time in milliseconds before the first retransmission of a flight, when the round trip is known. See
/// [`crate::timer`].
pub static TIMEOUT_MIN_MS: Setting = Setting::new("QDTLS_TIMEOUT_MIN_MS", 100, 20, 60_000);

/// The limit in milliseconds of the doubling timeout (RFC 6347, 4.2.4.1 recommends at least 60 seconds).
pub static TIMEOUT_MAX_MS: Setting = Setting::new("QDTLS_TIMEOUT_MAX_MS", 60_000, 20, 600_000);

/// 1 puts the records of a handshake's flight into as few datagrams as the MTU allows (RFC 6347, 4.1.1); 0 sends each in
/// a datagram of its own, for peers that read only the first.
pub static COALESCE_RECORDS: Setting = Setting::new("QDTLS_COALESCE_RECORDS", 1, 0, 1);

/// 1 ignores unauthenticated alerts, which anyone can forge, during a handshake (S8). The default, 0, lets them end a
/// handshake, so that a peer's refusal is reported at once.
pub static STRICT_ALERTS: Setting = Setting::new("QDTLS_STRICT_ALERTS", 0, 0, 1);

/// The time in seconds for which a context that connections share is kept after its last user (F12); 0 drops it at
/// once. See [`crate::retention`].
pub static CONTEXT_KEEP_S: Setting = Setting::new("QDTLS_CONTEXT_KEEP_S", 60, 0, 3600);

/// 1 writes the session keys to the file that `SSLKEYLOGFILE` names, for programs that decrypt captures.
pub static KEY_LOG: Setting = Setting::new("QDTLS_KEY_LOG", 0, 0, 1);

/// The file of [`KEY_LOG`], which other programs use as well.
pub fn key_log_file() -> Option<OsString> {
    std::env::var_os("SSLKEYLOGFILE").filter(|name| !name.is_empty())
}

/// All settings.
pub static ALL: [&Setting; 10] = [
    &COOKIE_SECRET_SIZE,
    &COOKIE_ROTATION_S,
    &COOKIE_LIFETIME_S,
    &TIMEOUT_INITIAL_MS,
    &TIMEOUT_MIN_MS,
    &TIMEOUT_MAX_MS,
    &COALESCE_RECORDS,
    &STRICT_ALERTS,
    &CONTEXT_KEEP_S,
    &KEY_LOG,
];

/// Reads the environment, if that was not done yet. Bad values are logged at the end, so that a logger that uses a
/// setting finds it (A9).
#[cold]
pub fn read_environment() {
    log::outside_locks(|| {
        for setting in ALL {
            setting.read_environment();
        }
    });
}

impl Setting {
    const fn new(variable: &'static str, default: u64, minimum: u64, maximum: u64) -> Self {
        Self { variable, default, minimum, maximum, value: AtomicU64::new(UNREAD) }
    }

    /// The current value.
    pub fn get(&self) -> u64 {
        match self.value.load(Ordering::Relaxed) {
            UNREAD => {
                read_environment();
                self.read_environment()
            }
            value => value,
        }
    }

    /// Sets the value if it is within the bounds.
    pub fn set(&self, value: u64) -> Result<()> {
        if !self.allows(value) {
            let Self { variable, minimum, maximum, .. } = self;
            return Err(Error::because(
                Status::InvalidArgument,
                "setting",
                format_args!("{variable} must be from {minimum} to {maximum}"),
            ));
        }
        self.value.store(value, Ordering::Relaxed);
        Ok(())
    }

    fn allows(&self, value: u64) -> bool {
        (self.minimum..=self.maximum).contains(&value)
    }

    /// Reads the environment if the value is not set yet.
    fn read_environment(&self) -> u64 {
        match self.value.load(Ordering::Relaxed) {
            UNREAD => {}
            value => return value,
        }
        let value = match std::env::var(self.variable) {
            Err(_) => self.default,
            Ok(text) => self.parse(&text),
        };
        // Another thread may have read or set it meanwhile: the first value wins.
        match self.value.compare_exchange(UNREAD, value, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => value,
            Err(other) => other,
        }
    }

    fn parse(&self, text: &str) -> u64 {
        match text.trim().parse() {
            Ok(value) if self.allows(value) => value,
            _ => {
                let Self { variable, minimum, maximum, default, .. } = self;
                log::report(
                    Kind::BadSetting,
                    None,
                    variable,
                    format_args!("a number from {minimum} to {maximum} was expected, using {default}"),
                );
                self.default
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_bounds_are_checked() {
        let setting = Setting::new("QDTLS_TEST_UNSET", 32, 16, 64);
        assert_eq!(setting.get(), 32);
        for refused in [0, 15, 65, u64::MAX] {
            assert_eq!(setting.set(refused).map_err(|e| e.status()), Err(Status::InvalidArgument));
        }
        assert_eq!(setting.get(), 32);
        assert!(setting.set(64).is_ok());
        assert_eq!(setting.get(), 64);
    }

    #[test]
    fn r1_a_bad_environment_value_leaves_the_default() {
        let setting = Setting::new("QDTLS_TEST_UNSET", 32, 16, 64);
        assert_eq!(["", "x", "15", "65", "-1", " 48 "].map(|t| setting.parse(t)), [32, 32, 32, 32, 32, 48]);
    }
}
