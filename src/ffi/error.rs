// SPDX-License-Identifier: MIT OR Apache-2.0
//! Last errors in C's form.

use crate::error::{Category, Error, Status};
use std::cell::RefCell;
use std::ffi::{CString, c_char};

/// Details of a failure. The texts are UTF-8 and never empty; they live until the next failing call on the same
/// handle (or, for `qdtls_last_error`, on the same thread).
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_error {
    /// The `qdtls_status`.
    pub status: i32,
    /// The `qdtls_category`.
    pub category: i32,
    /// OpenSSL's packed error code (ERR_get_error(3)), or 0.
    pub openssl_code: u64,
    /// The operation, by preference an OpenSSL function, that failed.
    pub operation: *const c_char,
    /// Why it failed.
    pub reason: *const c_char,
}

/// Keeps one error in C's form.
#[derive(Default)]
pub struct ErrorSlot(RefCell<Option<Kept>>);

struct Kept {
    status: Status,
    openssl_code: u64,
    operation: CString,
    reason: CString,
}

thread_local! {
    static THREAD: ErrorSlot = ErrorSlot::default();
}

/// Keeps an error of a function without handle.
pub fn remember_on_thread(error: Error) {
    // During a thread's end there is nobody left to ask for it.
    let _ = THREAD.try_with(|slot| slot.remember(error));
}

/// The error kept for the calling thread.
pub fn thread_error() -> qdtls_error {
    THREAD.with(ErrorSlot::read)
}

impl ErrorSlot {
    /// Replaces the error kept.
    pub fn remember(&self, error: Error) {
        self.0.replace(Some(Kept {
            status: error.status(),
            openssl_code: error.openssl_code(),
            operation: c_string(error.operation()),
            reason: c_string(error.reason()),
        }));
    }

    /// The error kept; all zeroes and empty texts when there is none.
    pub fn read(&self) -> qdtls_error {
        match &*self.0.borrow() {
            None => qdtls_error {
                status: Status::Ok as i32,
                category: Category::None as i32,
                openssl_code: 0,
                operation: c"".as_ptr(),
                reason: c"".as_ptr(),
            },
            Some(kept) => qdtls_error {
                status: kept.status as i32,
                category: kept.status.category() as i32,
                openssl_code: kept.openssl_code,
                operation: kept.operation.as_ptr(),
                reason: kept.reason.as_ptr(),
            },
        }
    }
}

/// Text for C; a zero byte inside, which no text of ours has, would end it.
fn c_string(text: &str) -> CString {
    let until_zero = text.split('\0').next().unwrap_or_default();
    CString::new(until_zero).unwrap_or_default()
}
