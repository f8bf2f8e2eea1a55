// SPDX-License-Identifier: MIT OR Apache-2.0
//! When something is due, for which peer: the earliest first.
//!
//! A peer's timer changes with every step of its handshake. What was due before stays here until it is the earliest; the
//! peer says whether it still counts.

#![forbid(unsafe_code)]

use crate::peer::PeerAddress;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// The number of a connection, which none other of its endpoint has had.
pub type Number = u64;

/// See the module documentation.
#[derive(Default)]
pub struct Deadlines(BinaryHeap<Reverse<(Instant, Number, PeerAddress)>>);

impl Deadlines {
    /// Adds one; false without memory.
    pub fn add(&mut self, at: Instant, number: Number, peer: PeerAddress) -> bool {
        let has_room = self.0.try_reserve(1).is_ok();
        if has_room {
            self.0.push(Reverse((at, number, peer)));
        }
        has_room
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes the earliest if it is reached.
    pub fn take(&mut self, now: Instant) -> Option<(Instant, Number, PeerAddress)> {
        let Reverse(earliest) = self.next().filter(|at| *at <= now).and_then(|_| self.0.pop())?;
        Some(earliest)
    }

    /// Drops what does not count any more, and returns when the earliest of the others is.
    pub fn next_that(&mut self, counts: impl Fn(Instant, Number, &PeerAddress) -> bool) -> Option<Instant> {
        while let Some(Reverse((at, number, peer))) = self.0.peek() {
            if counts(*at, *number, peer) {
                return Some(*at);
            }
            self.0.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_earliest_comes_first_and_not_too_early() {
        let peer = |port| PeerAddress::new([127, 0, 0, 1].into(), port, 0).expect("valid");
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        assert_eq!((deadlines.next(), deadlines.take(start)), (None, None));
        assert!([30, 10, 20].into_iter().zip(1..).all(|(ms, number)| deadlines.add(
            after(ms),
            number,
            peer(9)
        )));
        assert_eq!(deadlines.next(), Some(after(10)));
        assert_eq!(deadlines.take(after(9)), None);
        let taken: Vec<_> =
            std::iter::from_fn(|| deadlines.take(after(25))).map(|(_, number, _)| number).collect();
        assert_eq!((taken, deadlines.next()), (vec![2, 3], Some(after(30))));
        assert_eq!(deadlines.next_that(|_, number, _| number == 1), Some(after(30)));
        assert_eq!((deadlines.next_that(|_, _, _| false), deadlines.next()), (None, None));
    }
}
