// SPDX-License-Identifier: MIT OR Apache-2.0
//! A block of memory for a secret.

use super::platform;
use crate::error::{Error, Result, Status};
use std::ptr::NonNull;
use std::slice;
use zeroize::Zeroize;

/// Pages of their own, locked against swapping and left out of core dumps where the system allows it, wiped and
/// returned when dropped.
pub struct LockedMemory {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the pages belong to this value alone, like those of a Box<[u8]>.
unsafe impl Send for LockedMemory {}
// SAFETY: shared references only read, like those of a Box<[u8]>.
unsafe impl Sync for LockedMemory {}

impl LockedMemory {
    /// `length` zero bytes; at least one.
    pub fn new(length: usize) -> Result<Self> {
        match platform::map_locked(length) {
            Some(start) if length > 0 => Ok(Self { start, length }),
            _ => Err(Error::because(Status::InitFailed, "locked memory", "no memory for a secret")),
        }
    }

    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `map_locked` returned at least `length` readable, zero-initialised bytes, which live until drop; no
        // mutable reference exists while `self` is borrowed shared.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for LockedMemory {
    fn drop(&mut self) {
        self.as_mut_slice().zeroize();
        // SAFETY: the pair came from `map_locked` and is not used after this.
        unsafe { platform::unmap_locked(self.start, self.length) };
    }
}
