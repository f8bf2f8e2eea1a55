// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time slots that cookies are made for.

#![forbid(unsafe_code)]

use crate::settings::COOKIE_LIFETIME_S;
use crate::unix_time::UnixTime;

/// A stretch of time that cookies are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Slot(pub u64);

impl Slot {
    pub fn at(now: UnixTime) -> Self {
        Self(now.0 / COOKIE_LIFETIME_S.get())
    }

    /// The byte that names the slot on the wire: enough to tell neighbours apart.
    pub fn tag(self) -> u8 {
        let [tag, ..] = self.0.to_le_bytes();
        tag
    }

    /// The slot with this tag among this one and the two beside it.
    pub fn neighbour(self, tag: u8) -> Option<Self> {
        [self.0, self.0.wrapping_sub(1), self.0.wrapping_add(1)]
            .map(Self)
            .into_iter()
            .find(|s| s.tag() == tag)
    }
}
