// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checked conversions from C's pointers to Rust's types. Each has one `unsafe` constructor that takes over the
//! exported function's contract; its result is safe to use.

use crate::error::{Error, Result, Status};
use crate::openssl::ssl::PlaintextBuffer;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// An output pointer that may be null. [`Out::require`] checks it inside the guard.
pub struct Out<T>(*mut T);

/// A checked output pointer. Not a reference, because OpenSSL may run between the check and the write.
pub struct Place<T>(NonNull<T>);

impl<T> Out<T> {
    /// Wraps an output pointer.
    ///
    /// # Safety
    /// `place` is null or writable for a `T` until the exported function returns.
    #[inline]
    pub unsafe fn new(place: *mut T) -> Self {
        Self(place)
    }

    /// Returns the place, or an invalid-argument error for null.
    #[inline]
    pub fn require(self) -> Result<Place<T>> {
        self.if_wanted().ok_or_else(|| invalid("an output pointer is null"))
    }

    /// Returns the place, or `None` for null, where null is allowed.
    #[inline]
    pub fn if_wanted(self) -> Option<Place<T>> {
        NonNull::new(self.0).map(Place)
    }
}

impl<T> Place<T> {
    /// Writes the output.
    #[inline]
    pub fn write(self, value: T) {
        // SAFETY: `Out` checked for null, and the contract of `Out::new` makes it writable until the exported
        // function returns, inside which this runs.
        unsafe { self.0.write(value) };
    }
}

/// An output structure that begins with its own size, which the program has set.
pub struct OutSized<T>(*mut T);

impl<T: Copy> OutSized<T> {
    /// Wraps an output pointer.
    ///
    /// # Safety
    /// `place` is null, or until the exported function returns readable for a `usize` and writable for as many bytes as
    /// that says.
    pub unsafe fn new(place: *mut T) -> Self {
        Self(place)
    }

    /// Writes the members that the program knows. Refuses null, and a structure without the first `least` bytes.
    pub fn write(self, value: &T, least: usize) -> Result<()> {
        let place = NonNull::new(self.0).ok_or_else(|| invalid("an output pointer is null"))?;
        // SAFETY: not null, hence readable for its first member, a size (the contract of `new`).
        let size = unsafe { place.cast::<usize>().read_unaligned() };
        check_size(size, least)?;
        let skipped = size_of::<usize>();
        let length = size.min(size_of::<T>()).saturating_sub(skipped);
        let from = ptr::from_ref(value).cast::<u8>().wrapping_add(skipped);
        let to = place.as_ptr().cast::<u8>().wrapping_add(skipped);
        // SAFETY: `skipped + length` is at most the size of the value, and at most `size`, for which the place is writable
        // (the contract of `new`). The value is this library's own, so that the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(from, to, length) };
        Ok(())
    }
}

fn check_size(size: usize, least: usize) -> Result<()> {
    match size >= least {
        true => Ok(()),
        false => Err(invalid("the size member of a structure is too small: set it to sizeof the structure")),
    }
}

/// An output buffer for bytes.
pub struct OutBytes {
    start: *mut u8,
    capacity: usize,
}

impl OutBytes {
    /// Wraps an output buffer.
    ///
    /// # Safety
    /// `start` is null or writable for `capacity` bytes until [`OutBytes::write`] has run.
    pub unsafe fn new(start: *mut u8, capacity: usize) -> Self {
        Self { start, capacity }
    }

    /// Copies `value` to the buffer and writes its length to `length`.
    pub fn write(self, value: &[u8], length: Place<usize>) -> Result<()> {
        if value.len() > self.capacity {
            let needed = value.len();
            return Err(Error::because(
                Status::BufferTooSmall,
                "buffer",
                format_args!("{needed} bytes are needed"),
            ));
        }
        if !value.is_empty() {
            let place = NonNull::new(self.start).ok_or_else(|| invalid("a buffer is null"))?;
            // SAFETY: not null, writable for `capacity` bytes by the contract of `new`, and `value` is not longer. It
            // is this library's own memory, so the two do not overlap.
            unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), place.as_ptr(), value.len()) };
        }
        length.write(value.len());
        Ok(())
    }
}

/// An output array.
pub struct OutArray<T> {
    start: *mut T,
    capacity: usize,
}

impl<T> OutArray<T> {
    /// Wraps an output array.
    ///
    /// # Safety
    /// `start` is null or writable for `capacity` elements until [`OutArray::write`] has run.
    pub unsafe fn new(start: *mut T, capacity: usize) -> Self {
        Self { start, capacity }
    }

    /// Writes the first `capacity` values.
    pub fn write(self, values: impl Iterator<Item = T>) -> Result<()> {
        if self.capacity == 0 {
            return Ok(());
        }
        let start = NonNull::new(self.start).ok_or_else(|| invalid("the array is null"))?;
        for (index, value) in values.take(self.capacity).enumerate() {
            // SAFETY: not null; `index` is below `capacity`, for which the array is writable by the contract of
            // `new`.
            unsafe { start.add(index).write(value) };
        }
        Ok(())
    }
}

/// Wraps a plaintext buffer; `None` for null.
///
/// # Safety
/// `start` is null, or writable for `capacity` bytes that no other code uses until the exported function returns.
#[inline]
pub unsafe fn plaintext<'a>(start: *mut u8, capacity: usize) -> Option<PlaintextBuffer<'a>> {
    // SAFETY: not null, hence writable and unshared until the exported function returns (this function's contract).
    NonNull::new(start).map(|start| unsafe { PlaintextBuffer::new(start, capacity) })
}

/// Input, usually bytes, whose pointer may be null. [`In::get`] checks it inside the guard.
pub struct In<'a, T = u8> {
    start: *const T,
    length: usize,
    lifetime: PhantomData<&'a [T]>,
}

impl<'a, T: Copy> In<'a, T> {
    /// Wraps input.
    ///
    /// # Safety
    /// `start` is null or readable for `length` elements, for which any bytes are valid, until the exported function
    /// returns.
    #[inline]
    pub unsafe fn new(start: *const T, length: usize) -> Self {
        Self { start, length, lifetime: PhantomData }
    }

    /// Returns the input. A null pointer with length 0 is an empty slice.
    #[inline]
    pub fn get(&self) -> Result<&'a [T]> {
        if self.start.is_null() && self.length > 0 {
            return Err(invalid("a pointer to bytes is null"));
        }
        let bytes = self.length.checked_mul(size_of::<T>()).map(isize::try_from);
        if !matches!(bytes, Some(Ok(_))) || !self.start.is_aligned() {
            return Err(invalid("a length is out of range, or a pointer is not aligned"));
        }
        match self.start.is_null() {
            true => Ok(&[]),
            // SAFETY: not null, aligned, at most `isize::MAX` bytes, and readable by the contract of `new`, which limits `'a`
            // to the exported function's call.
            false => Ok(unsafe { std::slice::from_raw_parts(self.start, self.length) }),
        }
    }
}

/// Returns the structure at `place`, or an invalid-argument error for null.
///
/// # Safety
/// `place` is null or points to a valid `T` that is live and not written until the exported function returns.
pub unsafe fn reference<'a, T>(place: *const T) -> Result<&'a T> {
    // SAFETY: null, or valid and unwritten until the exported function returns (this function's contract).
    unsafe { place.as_ref() }.ok_or_else(|| invalid("a pointer to a structure is null"))
}

/// Returns a copy of a structure that begins with its own size. One of a program that knows fewer members is filled up
/// with zeroes; what a program knows beyond those of this library has no effect.
///
/// # Safety
/// `place` is null, or readable for a `usize` and for as many bytes as that says. Zero bytes are valid for any member.
pub unsafe fn sized<T: Copy>(place: *const T, least: usize) -> Result<T> {
    if place.is_null() {
        return Err(invalid("a pointer to a structure is null"));
    }
    // SAFETY: not null, hence readable for its first member, a size (this function's contract).
    let size = unsafe { place.cast::<usize>().read_unaligned() };
    check_size(size, least)?;
    let mut copy = MaybeUninit::<T>::zeroed();
    let length = size.min(size_of::<T>());
    // SAFETY: readable for `size` bytes (this function's contract); the copy is a local with room for a `T`.
    unsafe { ptr::copy_nonoverlapping(place.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), length) };
    // SAFETY: its beginning is the program's, the rest zero, which is valid (this function's contract).
    Ok(unsafe { copy.assume_init() })
}

/// An invalid-argument error.
#[cold]
pub fn invalid(what: &'static str) -> Error {
    Error::because(Status::InvalidArgument, "argument", what)
}
