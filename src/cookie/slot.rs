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

    /// The four bits that identify the slot on the wire. They distinguish slots that are near each other.
    pub fn tag(self) -> u8 {
        let [lowest, ..] = self.0.to_le_bytes();
        lowest % 16
    }

    /// Returns the slot with this tag among this one, the next, and those before it back to `oldest`.
    pub fn neighbour(self, tag: u8, oldest: Self) -> Option<Self> {
        let before = oldest.0..self.0;
        [self.0, self.0.saturating_add(1)].into_iter().chain(before).map(Self).find(|slot| slot.tag() == tag)
    }
}

/// What a cookie is shown for.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// To a listener: a cookie of the last slot is accepted, too.
    Listen,
    /// To start a handshake: one slot more, because the listener may have accepted the same cookie at the end of a slot
    /// (A23).
    Start,
    /// To end a connection whose cookie was checked at this time, because the client has restarted: no cookie of a slot
    /// before that time is accepted (A17).
    Restart {
        /// The time; `None` if the connection started without a cookie.
        since: Option<UnixTime>,
    },
}

impl Use {
    /// The oldest slot whose cookies are accepted in the present one.
    pub fn oldest(self, present: Slot) -> Slot {
        let before = |slots: u64| Slot(present.0.saturating_sub(slots));
        match self {
            Self::Listen => before(1),
            Self::Start => before(2),
            Self::Restart { since: None } => before(1),
            // A clock that was set back since must not refuse every cookie.
            Self::Restart { since: Some(since) } => Slot(before(1).0.max(Slot::at(since).0.min(present.0))),
        }
    }
}
