// SPDX-License-Identifier: MIT OR Apache-2.0
//! The alerts that OpenSSL sends and receives (SSL_set_info_callback(3)).

use super::api::Info;
use super::callbacks::ask;
use super::ssl::Ssl;
use super::{Api, api, bio};
use crate::panic::guard;
use crate::statistics::{Alert, Direction};
use openssl_sys::SSL;
use std::ffi::c_int;

/// Numbers of ssl.h that openssl-sys does not name.
mod number {
    use std::ffi::c_int;
    pub const CB_READ: c_int = 0x04;
    pub const CB_ALERT: c_int = 0x4000;
}

impl Ssl {
    /// Has alerts noted from now on. A callback that the program has set, for this `SSL` or its context, is called as
    /// well.
    pub(super) fn watch_alerts(&self) {
        let Self { raw, api, stage, .. } = self;
        // SAFETY: `raw` is live while `self` is, and owns its context; the functions only read.
        let theirs = unsafe {
            (api.SSL_get_info_callback)(raw.as_ptr())
                .or_else(|| (api.SSL_CTX_get_info_callback)((api.SSL_get_SSL_CTX)(raw.as_ptr())))
        };
        stage.program_info.set(theirs);
        let callback: Info = if theirs.is_some() { note_and_pass_on } else { note };
        // SAFETY: `raw` is live while `self` is. Both callbacks have the type of the manual page and check their arguments.
        unsafe { (api.SSL_set_info_callback)(raw.as_ptr(), callback) };
    }
}

/// Notes an alert in the running operation.
///
/// # Safety
/// `ssl` is null or live.
unsafe extern "C" fn note(ssl: *const SSL, place: c_int, value: c_int) {
    const NAME: &str = "info callback";
    if place & number::CB_ALERT == 0 {
        return;
    }
    let direction = if place & number::CB_READ == 0 { Direction::Sent } else { Direction::Received };
    let [.., level, description] = value.to_be_bytes();
    guard(NAME, (), || {
        let alert = Alert { level, description };
        // SAFETY: null or live, by this function's contract.
        let _ = unsafe { ask(NAME, ssl.cast_mut(), |_, _, events| events.note_alert(direction, alert)) };
    });
}

/// As [`note`], and calls the program's own callback.
///
/// # Safety
/// `ssl` is null or live.
unsafe extern "C" fn note_and_pass_on(ssl: *const SSL, place: c_int, value: c_int) {
    // SAFETY: null or live, by this function's contract.
    unsafe { note(ssl, place, value) };
    // SAFETY: null or live, by this function's contract.
    let theirs = guard("info callback", None, || api().ok().and_then(|api| unsafe { theirs(api, ssl) }));
    if let Some(theirs) = theirs {
        // SAFETY: OpenSSL would call the program's callback with these arguments.
        unsafe { theirs(ssl, place, value) };
    }
}

/// # Safety
/// `ssl` is null or live.
unsafe fn theirs(api: &Api, ssl: *const SSL) -> Option<Info> {
    if ssl.is_null() {
        return None;
    }
    // SAFETY: not null, hence live (this function's contract); the BIO is live because the SSL owns it, and so is its stage.
    unsafe { bio::stage_of(api, (api.SSL_get_rbio)(ssl)) }.and_then(|stage| stage.program_info.get())
}
