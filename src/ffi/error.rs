// SPDX-License-Identifier: MIT OR Apache-2.0
//! Last errors in C's form.

use crate::error::{Category, Error, REASON_LENGTH, Status};
use crate::text::Text;
use std::cell::RefCell;
use std::ffi::c_char;

/// The details of an error. The texts are null-terminated UTF-8, and empty only if there was no error. They are valid
/// until the next error of the same handle (for `qdtls_last_error`, of the same thread), or until the handle is
/// freed.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct qdtls_error {
    /// `sizeof(qdtls_error)`, which the program sets: the library writes no member beyond it.
    pub size: usize,
    /// The `qdtls_status`.
    pub status: i32,
    /// The `qdtls_category`.
    pub category: i32,
    /// OpenSSL's packed error code (ERR_get_error(3)), or 0.
    pub openssl_code: u64,
    /// The operation that failed; an OpenSSL function where one did.
    pub operation: *const c_char,
    /// The reason.
    pub reason: *const c_char,
}

/// The last error, in C's form.
#[derive(Default)]
pub struct ErrorSlot(RefCell<Option<Kept>>);

struct Kept {
    status: Status,
    openssl_code: u64,
    operation: Text<64>,
    reason: Text<REASON_LENGTH>,
}

thread_local! {
    /// Has no destructor: the C library would need memory for it, and the place exists as long as the thread (A15).
    static THREAD: ErrorSlot = const { ErrorSlot(RefCell::new(None)) };
}

/// Stores the error of a function without a handle.
pub fn remember_on_thread(error: Error) {
    THREAD.with(|slot| slot.remember(error));
}

/// Returns the calling thread's last error.
pub fn thread_error() -> qdtls_error {
    THREAD.with(ErrorSlot::read)
}

impl qdtls_error {
    fn none() -> Self {
        Self {
            size: size_of::<Self>(),
            status: Status::Ok as i32,
            category: Category::None as i32,
            openssl_code: 0,
            operation: c"".as_ptr(),
            reason: c"".as_ptr(),
        }
    }
}

impl ErrorSlot {
    /// Replaces the last error.
    pub fn remember(&self, error: Error) {
        self.0.replace(Some(Kept {
            status: error.status(),
            openssl_code: error.openssl_code(),
            operation: Text::of(error.operation()),
            reason: Text::of(error.reason()),
        }));
    }

    /// Returns the last error, or zeroes and empty texts if there was none.
    pub fn read(&self) -> qdtls_error {
        match &*self.0.borrow() {
            None => qdtls_error::none(),
            Some(kept) => qdtls_error {
                size: size_of::<qdtls_error>(),
                status: kept.status as i32,
                category: kept.status.category() as i32,
                openssl_code: kept.openssl_code,
                operation: kept.operation.as_c_str().as_ptr(),
                reason: kept.reason.as_c_str().as_ptr(),
            },
        }
    }
}
