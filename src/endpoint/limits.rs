// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an endpoint spends on its peers.

#![forbid(unsafe_code)]

use crate::error::{Error, Result, Status};
use std::cell::Cell;
use std::time::Duration;

/// A limit of an endpoint.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The number of connections: 1 to 16777216, default 65536. Clients beyond it are not answered.
    Connections = 0,
    /// How many of them may be in a handshake: 1 to 16777216, default 4096.
    Handshakes = 1,
    /// How long a handshake may take: 1 to 3600 seconds, default 60.
    HandshakeS = 2,
    /// How long a connection may be without a message of its peer: 1 to 31536000 seconds, or 0, the default, for any time.
    /// Then it is closed.
    QuietS = 3,
}

impl Limit {
    const ALL: [Self; 4] = [Self::Connections, Self::Handshakes, Self::HandshakeS, Self::QuietS];

    /// The limit of this number.
    pub fn of(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| *limit as i32 == number)
    }

    /// What is counted.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshakes => "handshakes",
            Self::HandshakeS => "seconds for a handshake",
            Self::QuietS => "seconds without a message",
        }
    }

    /// Lowest and highest value.
    fn range(self) -> (u32, u32) {
        match self {
            Self::Connections | Self::Handshakes => (1, 1 << 24),
            Self::HandshakeS => (1, 3600),
            Self::QuietS => (0, 31_536_000),
        }
    }
}

/// The limits of one endpoint.
pub struct Limits([Cell<u32>; Limit::ALL.len()]);

impl Default for Limits {
    fn default() -> Self {
        Self([1 << 16, 4096, 60, 0].map(Cell::new))
    }
}

impl Limits {
    /// Sets a limit; a value out of its range changes nothing.
    pub fn set(&self, limit: Limit, value: u64) -> Result<()> {
        let (least, most) = limit.range();
        match u32::try_from(value) {
            Ok(value) if (least..=most).contains(&value) => {
                self.cell(limit).set(value);
                Ok(())
            }
            _ => Err(Error::because(
                Status::InvalidArgument,
                "limit",
                format_args!("{value} is not between {least} and {most}"),
            )),
        }
    }

    /// The value of a limit.
    pub fn get(&self, limit: Limit) -> u32 {
        self.cell(limit).get()
    }

    fn cell(&self, limit: Limit) -> &Cell<u32> {
        let [connections, handshakes, handshake_s, quiet_s] = &self.0;
        match limit {
            Limit::Connections => connections,
            Limit::Handshakes => handshakes,
            Limit::HandshakeS => handshake_s,
            Limit::QuietS => quiet_s,
        }
    }

    /// How long a handshake may take.
    pub(super) fn handshake(&self) -> Duration {
        Duration::from_secs(self.get(Limit::HandshakeS).into())
    }

    /// How long a peer may be quiet.
    pub(super) fn quiet(&self) -> Option<Duration> {
        let seconds = self.get(Limit::QuietS);
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    /// The limit that does not allow one more handshake to begin.
    pub(super) fn reached(&self, (connections, handshakes): (usize, usize)) -> Option<Limit> {
        let below = |number: usize, limit| u32::try_from(number).is_ok_and(|number| number < self.get(limit));
        let counts = [(connections, Limit::Connections), (handshakes, Limit::Handshakes)];
        counts.into_iter().find(|(number, limit)| !below(*number, *limit)).map(|(_, limit)| limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_change_nothing() {
        let limits = Limits::default();
        for limit in Limit::ALL {
            let (least, most) = limit.range();
            assert_eq!(Limit::of(limit as i32), Some(limit));
            assert!([least, most].iter().all(|value| limits.set(limit, u64::from(*value)).is_ok()));
            let wrong = [u64::from(least).checked_sub(1), Some(u64::from(most) + 1), Some(u64::MAX)];
            assert!(wrong.into_iter().flatten().all(|value| limits.set(limit, value).is_err()));
            assert_eq!(limits.get(limit), most);
        }
        assert!(Limit::of(-1).is_none() && Limit::of(4).is_none());
    }

    #[test]
    fn both_numbers_are_bounded() {
        let limits = Limits::default();
        for (limit, value) in [(Limit::Connections, 3), (Limit::Handshakes, 2)] {
            limits.set(limit, value).expect("in range");
        }
        let reached = [(2, 1), (3, 0), (2, 2), (3, 2)].map(|counts| limits.reached(counts));
        let [connections, handshakes] = [Limit::Connections, Limit::Handshakes].map(Some);
        assert_eq!(reached, [None, connections, handshakes, connections]);
    }
}
