// SPDX-License-Identifier: MIT OR Apache-2.0
//! A block of memory for a secret.

use super::mapping::Mapping;
use super::platform;
use crate::error::{Error, Result, Status};
use std::slice;
use zeroize::Zeroize;

/// Pages of their own, locked against swapping and left out of core dumps where the system allows it, wiped and
/// returned when dropped.
pub struct LockedMemory {
    mapping: Mapping,
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
            Some(mapping) if length > 0 => Ok(Self { mapping, length }),
            _ => Err(Error::because(Status::InitFailed, "locked memory", "no memory for a secret")),
        }
    }

    /// What the system did not do for these pages, in words; `None` when it did all.
    pub fn shortcoming(&self) -> Option<&'static str> {
        match (self.mapping.unswapped, self.mapping.undumped) {
            (true, true) => None,
            (false, true) => Some("they are not locked against swapping"),
            (true, false) => Some("they are not left out of core dumps"),
            (false, false) => Some("they are neither locked against swapping nor left out of core dumps"),
        }
    }

    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `map_locked` returned at least `length` readable, zero-initialised bytes, which live until drop; no
        // mutable reference exists while `self` is borrowed shared.
        unsafe { slice::from_raw_parts(self.mapping.start.as_ptr(), self.length) }
    }

    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.mapping.start.as_ptr(), self.length) }
    }
}

impl Drop for LockedMemory {
    fn drop(&mut self) {
        self.as_mut_slice().zeroize();
        // SAFETY: the pair came from `map_locked` and is not used after this.
        unsafe { platform::unmap_locked(self.mapping.start, self.length) };
    }
}
