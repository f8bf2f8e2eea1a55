// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wall-clock time.

#![forbid(unsafe_code)]

/// Milliseconds since the Unix epoch. Cookies contain it, so servers that share a cookie secret have to agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixTime(pub u64);
