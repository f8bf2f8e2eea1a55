// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checked ways from C's pointers to Rust's types. Each takes the caller's promise in one `unsafe` line; what it returns
//! is used by safe code.

use crate::error::{Error, Result, Status};
use crate::openssl::ssl::PlaintextBuffer;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A pointer to a place for an output, null or not. It is checked inside the guard, by [`Out::require`].
pub struct Out<T>(*mut T);

/// A place for an output. A pointer, not a reference: between the check and the write OpenSSL may run.
pub struct Place<T>(NonNull<T>);

impl<T> Out<T> {
    /// # Safety
    /// `place` is null or writable for a `T` until the exported function returns.
    #[inline]
    pub unsafe fn new(place: *mut T) -> Self {
        Self(place)
    }

    /// The place, unless it is null.
    #[inline]
    pub fn require(self) -> Result<Place<T>> {
        NonNull::new(self.0).map(Place).ok_or_else(|| invalid("an output pointer is null"))
    }
}

impl<T> Place<T> {
    /// Writes the output.
    #[inline]
    pub fn write(self, value: T) {
        // SAFETY: not null, and writable by the promise made to `Out::new`.
        unsafe { self.0.write(value) };
    }
}

/// A place for bytes of the caller's.
pub struct OutBytes {
    start: *mut u8,
    capacity: usize,
}

impl OutBytes {
    /// # Safety
    /// `start` is null or writable for `capacity` bytes until [`OutBytes::write`] has run.
    pub unsafe fn new(start: *mut u8, capacity: usize) -> Self {
        Self { start, capacity }
    }

    /// Copies `value`, and writes its length to `length`.
    pub fn write(self, value: &[u8], length: Place<usize>) -> Result<()> {
        if value.len() > self.capacity {
            let reason = format!("{} bytes are needed", value.len());
            return Err(Error::because(Status::BufferTooSmall, "buffer", reason));
        }
        if !value.is_empty() {
            let place = NonNull::new(self.start).ok_or_else(|| invalid("a buffer is null"))?;
            // SAFETY: writable for `capacity` bytes, which are enough, by the promise made to `new`; it cannot overlap a
            // value of this library's own.
            unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), place.as_ptr(), value.len()) };
        }
        length.write(value.len());
        Ok(())
    }
}

/// A place for elements of an array of the caller's.
pub struct OutArray<T> {
    start: *mut T,
    capacity: usize,
}

impl<T> OutArray<T> {
    /// # Safety
    /// `start` is null or writable for `capacity` elements until [`OutArray::write`] has run.
    pub unsafe fn new(start: *mut T, capacity: usize) -> Self {
        Self { start, capacity }
    }

    /// Writes as many of `values` as there is room for.
    pub fn write(self, values: impl Iterator<Item = T>) -> Result<()> {
        if self.capacity == 0 {
            return Ok(());
        }
        let start = NonNull::new(self.start).ok_or_else(|| invalid("the array is null"))?;
        for (index, value) in values.take(self.capacity).enumerate() {
            // SAFETY: `index` is below `capacity`, for which the array is writable by the promise made to `new`.
            unsafe { start.add(index).write(value) };
        }
        Ok(())
    }
}

/// A buffer for plaintext; `None` for null.
///
/// # Safety
/// `start` is null, or writable for `capacity` bytes that nobody else uses until the exported function returns.
#[inline]
pub unsafe fn plaintext(start: *mut u8, capacity: usize) -> Option<PlaintextBuffer> {
    // SAFETY: writable and unshared by the caller's promise, as it is not null.
    NonNull::new(start).map(|start| unsafe { PlaintextBuffer::new(start, capacity) })
}

/// Bytes of the caller's, null or not. They are checked inside the guard, by [`In::get`].
pub struct In<'a> {
    start: *const u8,
    length: usize,
    lifetime: PhantomData<&'a [u8]>,
}

impl<'a> In<'a> {
    /// # Safety
    /// `start` is null or readable for `length` bytes until the exported function returns.
    #[inline]
    pub unsafe fn new(start: *const u8, length: usize) -> Self {
        Self { start, length, lifetime: PhantomData }
    }

    /// The bytes. A null pointer stands for an empty slice when the length is 0.
    #[inline]
    pub fn get(&self) -> Result<&'a [u8]> {
        if self.start.is_null() && self.length > 0 {
            return Err(invalid("a pointer to bytes is null"));
        }
        if isize::try_from(self.length).is_err() {
            return Err(invalid("a length is out of range"));
        }
        match self.start.is_null() {
            true => Ok(&[]),
            // SAFETY: not null, of a possible length, and readable by the promise made to `new`.
            false => Ok(unsafe { std::slice::from_raw_parts(self.start, self.length) }),
        }
    }
}

/// The structure at `place`.
///
/// # Safety
/// `place` is null or points to a valid `T` that lives and is not written until the exported function returns.
pub unsafe fn reference<'a, T>(place: *const T) -> Result<&'a T> {
    // SAFETY: null, or valid for the time of the call by the caller's promise.
    unsafe { place.as_ref() }.ok_or_else(|| invalid("a pointer to a structure is null"))
}

/// An invalid-argument error.
#[cold]
pub fn invalid(what: &'static str) -> Error {
    Error::because(Status::InvalidArgument, "argument", what)
}
