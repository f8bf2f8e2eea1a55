// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory for a secret.

use super::mapping::Mapping;
use super::platform;
use crate::error::{Error, Result, Status};
use std::slice;
use zeroize::Zeroize;

/// Pages used for one secret only. They are locked against swapping and excluded from core dumps where the system
/// allows it, and wiped and unmapped on drop.
pub struct LockedMemory {
    mapping: Mapping,
    length: usize,
}

// SAFETY: this value alone owns the pages, like a Box<[u8]>, and no part is bound to a thread.
unsafe impl Send for LockedMemory {}
// SAFETY: shared references only read the pages, like those of a Box<[u8]>.
unsafe impl Sync for LockedMemory {}

impl LockedMemory {
    /// Allocates `length` zero bytes, at least one.
    pub fn new(length: usize) -> Result<Self> {
        match platform::map_locked(length) {
            Some(mapping) if length > 0 => Ok(Self { mapping, length }),
            _ => Err(Error::because(Status::InitFailed, "locked memory", "no memory for a secret")),
        }
    }

    /// The protection that the system refused for these pages, as text; `None` if it refused none.
    pub fn shortcoming(&self) -> Option<&'static str> {
        match (self.mapping.unswapped, self.mapping.undumped) {
            (true, true) => None,
            (false, true) => Some("they are not locked against swapping"),
            (true, false) => Some("they are not left out of core dumps"),
            (false, false) => Some("they are neither locked against swapping nor left out of core dumps"),
        }
    }

    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `map_locked` returned at least `length` readable, zero-initialised bytes, which stay mapped until
        // drop. No mutable reference exists while `self` is borrowed shared.
        unsafe { slice::from_raw_parts(self.mapping.start.as_ptr(), self.length) }
    }

    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: `map_locked` returned at least `length` writable, zero-initialised bytes, which stay mapped until
        // drop, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.mapping.start.as_ptr(), self.length) }
    }
}

impl Drop for LockedMemory {
    fn drop(&mut self) {
        self.as_mut_slice().zeroize();
        // SAFETY: start and length are those of the `map_locked` call in `new`. Drop runs once, and references into
        // the pages borrow `self`, so none is left.
        unsafe { platform::unmap_locked(self.mapping.start, self.length) };
    }
}
