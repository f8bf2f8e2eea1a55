// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wall-clock time.

#![forbid(unsafe_code)]

/// Seconds since the Unix epoch. Servers that share a cookie secret derive the same time slots from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixTime(pub u64);
