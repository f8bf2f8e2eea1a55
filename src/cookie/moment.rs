// SPDX-License-Identifier: MIT OR Apache-2.0
//! When a cookie was made, and how long it is accepted.

#![forbid(unsafe_code)]

use crate::settings::COOKIE_LIFETIME_S;
use crate::unix_time::UnixTime;
use std::time::Duration;

/// The bits of a time that a cookie shows: milliseconds modulo three days.
pub const SHOWN_BITS: u32 = 28;
const MODULUS: u64 = 1 << SHOWN_BITS;

/// How much longer a handshake may start with a cookie than a listener accepts it, in milliseconds: the listener may have
/// accepted it just before it expired (A23).
const GRACE_MS: u64 = 60_000;

/// How long after it was made a cookie may be of use.
pub fn longest_use() -> Duration {
    Duration::from_secs(COOKIE_LIFETIME_S.get()).saturating_add(Duration::from_millis(GRACE_MS))
}

/// The time at which a cookie was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(UnixTime);

impl Moment {
    pub fn at(now: UnixTime) -> Self {
        Self(now)
    }

    /// The time that ends with these bits and is nearest to `now`.
    pub fn nearest(now: UnixTime, shown: u32) -> Self {
        let age = now.0.wrapping_sub(shown.into()) % MODULUS;
        let before = now.0.saturating_sub(age);
        Self(UnixTime(if age <= MODULUS / 2 { before } else { before.saturating_add(MODULUS) }))
    }

    /// The bits that a cookie shows. They tell times of three days apart; the cookie's HMAC covers the whole time.
    pub fn shown(self) -> u32 {
        (self.0.0 % MODULUS) as u32
    }

    pub fn to_be_bytes(self) -> [u8; 8] {
        self.0.0.to_be_bytes()
    }

    /// The milliseconds from then to `now`; 0 if that is earlier.
    pub fn age(self, now: UnixTime) -> u64 {
        now.0.saturating_sub(self.0.0)
    }
}

/// What a cookie is shown for.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// To a listener.
    Listen,
    /// To start a handshake.
    Start,
    /// To end a connection whose cookie was checked at this time, because the client has restarted: no cookie that was
    /// made before is accepted (A17, I5).
    Restart {
        /// The time; `None` if the connection started without a cookie.
        since: Option<UnixTime>,
    },
}

impl Use {
    /// Returns whether a cookie that was made then is accepted now. The clocks of servers that share a secret may differ,
    /// so it may also have been made in the future.
    pub fn accepts(self, made: Moment, now: UnixTime) -> bool {
        let lifetime = COOKIE_LIFETIME_S.get().saturating_mul(1000);
        let grace = if matches!(self, Self::Start) { GRACE_MS } else { 0 };
        let is_newer = match self {
            // A clock that was set back since must not refuse every cookie.
            Self::Restart { since: Some(since) } if since.0 <= now.0 => made.0.0 > since.0,
            _ => true,
        };
        is_newer && made.0.0.abs_diff(now.0) <= lifetime.saturating_add(grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_700_000_000_000);

    #[test]
    fn s15_a_time_is_found_again_from_its_bits() {
        for shift in [0, 1, 1000, MODULUS / 2 - 1] {
            for made in [NOW.0 - shift, NOW.0 + shift] {
                let made = Moment(UnixTime(made));
                assert_eq!(Moment::nearest(NOW, made.shown()), made, "{shift}");
            }
        }
        let early = UnixTime(5);
        assert_eq!(Moment::nearest(early, 3).age(early), 2);
        assert_eq!(Moment::nearest(early, 9).age(early), 0);
    }

    #[test]
    fn s15_a_cookie_of_an_earlier_cycle_is_of_another_time() {
        let old = Moment(UnixTime(NOW.0 - MODULUS));
        assert_ne!(Moment::nearest(NOW, old.shown()), old);
    }
}
