// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenSSL's per-thread error queue (ERR_get_error(3)).
//!
//! Code that needs the cause of a failure clears the queue before the call and takes the entry after it, so that an
//! entry never comes from another object and none remains. Checking the queue costs a tenth of a short write: the
//! data path checks it only after a failure, whose own entry comes after those of others ([`take_last`]).

use super::{Api, api};
use crate::error::{Error, Status};
use std::ffi::{CStr, c_ulong};

/// The reason of a fatal alert is 1000 plus the alert's number (ssl.h: SSL_AD_REASON_OFFSET).
const ALERT_REASONS: std::ops::Range<u64> = 1000..1256;
/// ssl.h: SSL_R_READ_TIMEOUT_EXPIRED. OpenSSL has stopped retransmitting.
const READ_TIMEOUT_EXPIRED: u64 = 312;
/// ssl.h: SSL_R_RECORD_LAYER_FAILURE.
const RECORD_LAYER_FAILURE: u64 = 313;
/// err.h: ERR_LIB_SSL.
const LIBRARY_SSL: u64 = 20;

/// The cause of a failure, as code and text.
#[derive(Debug, Default)]
pub struct Cause {
    code: u64,
    text: String,
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

/// Takes the first entry and drops the rest. For a queue that was cleared before the call.
pub fn take(api: &Api) -> Cause {
    // SAFETY: no preconditions; it uses the queue of the calling thread.
    take_as_cause(api, unsafe { (api.ERR_get_error)() })
}

/// Takes the last entry, and drops the rest: for a queue that was not cleared before the call, whose own entry then
/// comes after those of others. OpenSSL 3.2 adds one that says no more than that the record layer failed; the cause is
/// the one before it.
pub fn take_last(api: &Api) -> Cause {
    let mut last = 0;
    loop {
        // SAFETY: no preconditions; concerns the calling thread only.
        let code = unsafe { (api.ERR_get_error)() };
        if code == 0 {
            return take_as_cause(api, last);
        }
        #[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on some platforms")]
        let entry = Cause { code: code.into(), text: String::new() };
        if last == 0 || !entry.is_record_layer_failure() {
            last = code;
        }
    }
}

fn take_as_cause(api: &Api, code: c_ulong) -> Cause {
    clear(api);
    #[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on some platforms")]
    Cause { code: code.into(), text: text_of(api, code) }
}

/// An error of the OpenSSL function `operation`, with the cause from the queue.
pub fn failure(status: Status, operation: &'static str) -> Error {
    match api() {
        Ok(api) => take(api).into_error(status, operation),
        Err(error) => error,
    }
}

impl Cause {
    /// An error with this cause.
    pub fn into_error(self, status: Status, operation: &'static str) -> Error {
        Error::openssl(status, operation, self.code, &self.text)
    }

    /// The same code with another text.
    pub fn with_text(self, text: String) -> Self {
        Self { text, ..self }
    }

    /// Returns whether the peer sent a fatal alert.
    pub fn is_alert(&self) -> bool {
        self.library() == LIBRARY_SSL && ALERT_REASONS.contains(&self.reason())
    }

    /// Returns whether OpenSSL has stopped retransmitting.
    pub fn is_timeout(&self) -> bool {
        self.library() == LIBRARY_SSL && self.reason() == READ_TIMEOUT_EXPIRED
    }

    /// Whether the record layer failed, for a reason that stands in the entry before (OpenSSL 3.2 and later).
    fn is_record_layer_failure(&self) -> bool {
        self.library() == LIBRARY_SSL && self.reason() == RECORD_LAYER_FAILURE
    }

    /// ERR_GET_LIB.
    fn library(&self) -> u64 {
        if self.is_3() { (self.code >> 23) & 0xff } else { (self.code >> 24) & 0xff }
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

fn text_of(api: &Api, code: c_ulong) -> String {
    if code == 0 {
        return String::new();
    }
    // SAFETY: both take any code and return null or a static string.
    let [reason, library] =
        unsafe { [(api.ERR_reason_error_string)(code), (api.ERR_lib_error_string)(code)] };
    let known = [library, reason].into_iter().filter(|text| !text.is_null()).map(|text| {
        // SAFETY: not null, hence a C string of static lifetime (ERR_error_string(3)).
        unsafe { CStr::from_ptr(text) }.to_string_lossy()
    });
    let parts: Vec<_> = known.collect();
    if parts.is_empty() { format!("OpenSSL error {code:08X}") } else { parts.join(": ") }
}
