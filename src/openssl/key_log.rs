// SPDX-License-Identifier: MIT OR Apache-2.0
//! The session keys in a file, in the NSS key log format, for programs that decrypt captures (SSL_CTX_set_keylog_callback(3)).
//!
//! Both have to be there: the setting `QDTLS_KEY_LOG`, and the environment variable `SSLKEYLOGFILE` with the file's name.

use super::Api;
use crate::log::{self, Kind};
use crate::os::KeyLogFile;
use crate::panic::guard;
use crate::settings::{self, KEY_LOG};
use openssl_sys::{SSL, SSL_CTX};
use std::ffi::{CStr, c_char};
use std::ptr::NonNull;
use std::sync::OnceLock;

/// `None` if there is none, or it cannot be opened.
static FILE: OnceLock<Option<KeyLogFile>> = OnceLock::new();

/// Has the keys of a context's connections written, if that is switched on and the program does not do it itself.
///
/// # Safety
/// `context` is a live `SSL_CTX` of the OpenSSL in use that no other thread uses meanwhile.
pub(super) unsafe fn enable(api: &Api, context: NonNull<SSL_CTX>) {
    if KEY_LOG.get() == 0 || FILE.get_or_init(open).is_none() {
        return;
    }
    // SAFETY: live and not used by another thread, by this function's contract. The callback has the type of the manual
    // page and checks its arguments.
    unsafe {
        if (api.SSL_CTX_get_keylog_callback)(context.as_ptr()).is_none() {
            (api.SSL_CTX_set_keylog_callback)(context.as_ptr(), Some(write));
        }
    }
}

fn open() -> Option<KeyLogFile> {
    let Some(name) = settings::key_log_file() else {
        log::report(
            Kind::KeyLog,
            None,
            "key log",
            format_args!("SSLKEYLOGFILE is not set, no keys are written"),
        );
        return None;
    };
    match KeyLogFile::open(&name) {
        Ok(file) => {
            log::report(
                Kind::KeyLog,
                None,
                "key log",
                format_args!("session keys are written to SSLKEYLOGFILE"),
            );
            Some(file)
        }
        Err(error) => {
            log::report(Kind::KeyLog, None, "key log", format_args!("SSLKEYLOGFILE: {error}"));
            None
        }
    }
}

/// Writes a line. One that cannot be written is left out: the connection does not depend on it.
///
/// # Safety
/// `line` is null or a C string.
unsafe extern "C" fn write(_ssl: *const SSL, line: *const c_char) {
    guard("key log", (), || {
        if let (false, Some(Some(file))) = (line.is_null(), FILE.get()) {
            // SAFETY: not null, hence a C string that is not written meanwhile (this function's contract).
            file.append(unsafe { CStr::from_ptr(line) }.to_bytes());
        }
    });
}
