// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time slots that cookies are made for.

#![forbid(unsafe_code)]

use crate::settings::COOKIE_LIFETIME_S;
use crate::unix_time::UnixTime;

/// A time slot, numbered from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Slot(pub u64);

impl Slot {
    pub fn at(now: UnixTime) -> Self {
        Self(now.0 / COOKIE_LIFETIME_S.get())
    }

    /// The byte that identifies the slot on the wire. It distinguishes neighbouring slots.
    pub fn tag(self) -> u8 {
        let [tag, ..] = self.0.to_le_bytes();
        tag
    }

    /// Returns the slot with this tag among this one and its two neighbours.
    pub fn neighbour(self, tag: u8) -> Option<Self> {
        [self.0, self.0.wrapping_sub(1), self.0.wrapping_add(1)]
            .map(Self)
            .into_iter()
            .find(|s| s.tag() == tag)
    }
}
