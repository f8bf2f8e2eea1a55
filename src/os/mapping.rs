// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory mapped by the platform.

use std::ptr::NonNull;

/// A mapping owned by this library.
pub struct Mapping {
    /// Its first byte, at the start of a page.
    pub start: NonNull<u8>,
    /// Whether it is locked against swapping.
    pub unswapped: bool,
    /// Whether it is excluded from core dumps.
    pub undumped: bool,
}
