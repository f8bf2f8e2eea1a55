// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checked ways from C's pointers to Rust's types.

use crate::error::{Error, Result, Status};
use std::ptr::NonNull;

/// A place for an output. A pointer, not a reference: between the check and the write OpenSSL may run.
pub struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// # Safety
    /// `place` is null or writable for a `T` until [`Out::write`] has run.
    pub unsafe fn new(place: *mut T) -> Result<Self> {
        NonNull::new(place).map(Self).ok_or_else(|| invalid("an output pointer is null"))
    }

    pub fn write(self, value: T) {
        // SAFETY: writable by the promise made to `new`.
        unsafe { self.0.write(value) };
    }
}

/// The bytes at `start`. A null pointer stands for an empty slice when `length` is 0.
///
/// # Safety
/// `start` is null or readable for `length` bytes until the exported function returns.
pub unsafe fn bytes<'a>(start: *const u8, length: usize) -> Result<&'a [u8]> {
    match (start.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(invalid("a pointer to bytes is null")),
        (false, _) if isize::try_from(length).is_err() => {
            Err(Error::because(Status::InvalidArgument, "argument", "a length is out of range"))
        }
        // SAFETY: not null, of a possible length, and readable by the caller's promise.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(start, length) }),
    }
}

/// The structure at `place`.
///
/// # Safety
/// `place` is null or points to a valid `T` that lives and is not written until the exported function returns.
pub unsafe fn reference<'a, T>(place: *const T) -> Result<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { place.as_ref() }.ok_or_else(|| invalid("a pointer to a structure is null"))
}

/// Copies `value` to the caller's buffer and its length to `length`.
///
/// # Safety
/// `buffer` is null or writable for `capacity` bytes.
pub unsafe fn copy_out(value: &[u8], buffer: *mut u8, capacity: usize, length: Out<usize>) -> Result<()> {
    if value.len() > capacity {
        let reason = format!("{} bytes are needed", value.len());
        return Err(Error::because(Status::BufferTooSmall, "buffer", reason));
    }
    if !value.is_empty() {
        let buffer = NonNull::new(buffer).ok_or_else(|| invalid("a buffer is null"))?;
        // SAFETY: the buffer holds `capacity` bytes by the caller's promise, which are enough, and it cannot overlap a
        // value of this library's own.
        unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), buffer.as_ptr(), value.len()) };
    }
    length.write(value.len());
    Ok(())
}

/// An argument that cannot be.
pub fn invalid(what: &'static str) -> Error {
    Error::because(Status::InvalidArgument, "argument", what)
}
