// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenSSL's per-thread error queue (ERR_get_error(3)).
//!
//! Code that needs the cause of a failure clears the queue before the call and takes the entry after it, so that an
//! entry never comes from another object and none remains. Checking the queue costs a tenth of a short write: the
//! data path checks it only after a failure, whose own entry comes after those of others ([`Entries::last`]).
//!
//! The program's code that runs inside an OpenSSL function may leave entries or clear the queue. [`set_aside`] keeps
//! OpenSSL's entries meanwhile (A1).

use super::{Api, api};
use crate::error::{Error, Status};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_ulong};
use std::fmt;

/// The reason of a fatal alert is 1000 plus the alert's number (ssl.h: SSL_AD_REASON_OFFSET).
const ALERT_REASONS: std::ops::Range<u64> = 1000..1256;
/// ssl.h: SSL_R_READ_TIMEOUT_EXPIRED. OpenSSL has stopped retransmitting.
const READ_TIMEOUT_EXPIRED: u64 = 312;
/// ssl.h: SSL_R_RECORD_LAYER_FAILURE.
const RECORD_LAYER_FAILURE: u64 = 313;
/// err.h: ERR_LIB_EVP.
const LIBRARY_EVP: u64 = 6;
/// err.h: ERR_LIB_SSL.
const LIBRARY_SSL: u64 = 20;
/// err.h: ERR_R_UNSUPPORTED of OpenSSL 3; evperr.h: EVP_R_UNSUPPORTED_ALGORITHM, and EVP_R_DISABLED_FOR_FIPS of 1.1.1.
const UNSUPPORTED: [u64; 3] = [0x8_010c, 156, 163];

/// The cause of a failure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cause {
    code: u64,
}

/// Drops the entries of other objects. Checking first is faster than clearing, and the queue is usually empty.
pub fn clear(api: &Api) {
    // SAFETY: no preconditions; both use the queue of the calling thread.
    unsafe {
        if (api.ERR_peek_error)() != 0 {
            (api.ERR_clear_error)();
        }
    }
}

/// What is left of the entries that were in a queue: the codes of two of them, 0 for none.
#[derive(Clone, Copy, Default)]
pub struct Entries {
    /// The cause, in a queue that was cleared before the call.
    pub first: c_ulong,
    /// The cause, in a queue that was not: its own entry comes after those of others. OpenSSL 3.2 adds one that says
    /// no more than that the record layer failed; the cause is the one before it.
    pub last: c_ulong,
}

impl Entries {
    fn are_none(self) -> bool {
        self.first == 0
    }
}

/// Takes all entries.
pub fn take(api: &Api) -> Entries {
    let mut entries = Entries::default();
    loop {
        // SAFETY: no preconditions; it uses the queue of the calling thread.
        let code = unsafe { (api.ERR_get_error)() };
        if code == 0 {
            return entries;
        }
        if entries.are_none() {
            entries.first = code;
        }
        if entries.last == 0 || !Cause::of(code).is_record_layer_failure() {
            entries.last = code;
        }
    }
}

/// Takes all entries, or those that were set aside, if there were no later ones.
pub fn take_with(api: &Api, aside: &Cell<Entries>) -> Entries {
    let (aside, entries) = (aside.take(), take(api));
    if entries.are_none() { aside } else { entries }
}

/// Runs code of the program from inside an OpenSSL function. OpenSSL's entries are kept in `aside`, and those of the
/// program are dropped.
pub fn set_aside<R>(api: &Api, aside: &Cell<Entries>, program: impl FnOnce() -> R) -> R {
    let entries = take(api);
    if !entries.are_none() {
        aside.set(entries);
    }
    let result = program();
    clear(api);
    result
}

/// Runs code of the program that may add entries, and drops those.
pub fn unchanged(api: &Api, program: impl FnOnce()) {
    // SAFETY: no preconditions; it uses the queue of the calling thread.
    unsafe { (api.ERR_set_mark)() };
    program();
    // Without an entry there was nothing to mark, and this empties the queue.
    // SAFETY: no preconditions; it uses the queue of the calling thread.
    unsafe { (api.ERR_pop_to_mark)() };
}

/// An error of the OpenSSL function `operation`, with the cause from the queue.
pub fn failure(status: Status, operation: &'static str) -> Error {
    cause().into_error(status, operation)
}

/// The first entry, as the cause of a failure before which the queue was cleared. Empties the queue.
pub fn cause() -> Cause {
    api().map(|api| Cause::of(take(api).first)).unwrap_or_default()
}

impl Cause {
    /// The cause with this code.
    pub fn of(code: c_ulong) -> Self {
        #[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on some platforms")]
        Self { code: code.into() }
    }

    /// An error with this cause.
    pub fn into_error(self, status: Status, operation: &'static str) -> Error {
        match self.code {
            0 => Error::new(status, operation),
            _ => self.into_error_because(status, operation, self),
        }
    }

    /// An error with this code and another text than OpenSSL's.
    pub fn into_error_because(
        self,
        status: Status,
        operation: &'static str,
        reason: impl fmt::Display,
    ) -> Error {
        Error::openssl(status, operation, self.code, format_args!("{}: {reason}", status.meaning()))
    }

    /// Returns whether the peer sent a fatal alert.
    pub fn is_alert(&self) -> bool {
        self.library() == LIBRARY_SSL && ALERT_REASONS.contains(&self.reason())
    }

    /// Returns whether OpenSSL has stopped retransmitting.
    pub fn is_timeout(&self) -> bool {
        self.library() == LIBRARY_SSL && self.reason() == READ_TIMEOUT_EXPIRED
    }

    /// Returns whether no provider has the algorithm.
    pub fn is_unsupported(&self) -> bool {
        self.library() == LIBRARY_EVP && UNSUPPORTED.contains(&self.reason())
    }

    /// Whether the record layer failed, for a reason that stands in the entry before (OpenSSL 3.2 and later).
    fn is_record_layer_failure(&self) -> bool {
        self.library() == LIBRARY_SSL && self.reason() == RECORD_LAYER_FAILURE
    }

    /// ERR_GET_LIB; 0 without an entry.
    fn library(&self) -> u64 {
        match self.code {
            0 => 0,
            code if self.is_3() => (code >> 23) & 0xff,
            code => (code >> 24) & 0xff,
        }
    }

    /// ERR_GET_REASON.
    fn reason(&self) -> u64 {
        if self.is_3() { self.code & 0x7f_ffff } else { self.code & 0xfff }
    }

    /// OpenSSL 3 packs codes differently from 1.1.1 (err.h).
    fn is_3(&self) -> bool {
        // SAFETY: no preconditions.
        api().is_ok_and(|api| unsafe { (api.OpenSSL_version_num)() } >= 0x3000_0000)
    }
}

/// OpenSSL's names of the library and the reason.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |of: unsafe extern "C" fn(c_ulong) -> *const c_char| {
            // The code came from OpenSSL as a c_ulong.
            let code = c_ulong::try_from(self.code).ok()?;
            // SAFETY: it takes any code and returns null or a static string (ERR_error_string(3)).
            let text = unsafe { of(code).as_ref() }?;
            // SAFETY: not null, hence a C string of static lifetime.
            unsafe { CStr::from_ptr(text) }.to_str().ok()
        };
        let Ok(api) = api() else { return Ok(()) };
        match (text(api.ERR_lib_error_string), text(api.ERR_reason_error_string)) {
            (Some(library), Some(reason)) => write!(f, "{library}: {reason}"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => write!(f, "OpenSSL error {:08X}", self.code),
        }
    }
}
