// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wall-clock time.

#![forbid(unsafe_code)]

use std::time::SystemTime;

/// Milliseconds since the Unix epoch. Cookies contain it, so servers that share a cookie secret have to agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// By the system's clock. One before 1970 reads 0: cookies only need a clock that advances.
    #[inline]
    pub fn now() -> Self {
        let since = SystemTime::UNIX_EPOCH.elapsed();
        Self(since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
    }
}
