// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory as the platform mapped it.

use std::ptr::NonNull;

/// A mapping of this library's own.
pub struct Mapping {
    /// Its first byte, at the beginning of a page.
    pub start: NonNull<u8>,
    /// It is kept out of swap.
    pub unswapped: bool,
    /// It is left out of core dumps.
    pub undumped: bool,
}
