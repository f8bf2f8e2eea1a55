// SPDX-License-Identifier: MIT OR Apache-2.0
//! The size of a handshake's datagrams: as planned, and smaller when the path seems to drop those (RFC 6347, 4.1.1.1).

#![forbid(unsafe_code)]

use crate::settings::COALESCE_RECORDS;
use crate::wire::flight::{STEPS, Sizes};
use std::cell::Cell;

/// IP packets that are tried when larger ones are not answered: the minimum of IPv6, what every IPv4 host accepts (RFC
/// 791, 3.1), and OpenSSL's smallest (d1_lib.c).
const LINK_MTUS: [usize; STEPS] = [1280, 576, 256];
/// The unanswered tries of a flight before each. Few paths need the last, and on one that loses datagrams at random more
/// of them do harm.
const PATIENCE: [u32; STEPS] = [2, 2, 4];

/// See the module documentation.
pub struct PathMtu {
    planned: Sizes,
    steps: [usize; STEPS],
    /// The number of steps taken.
    taken: Cell<usize>,
    /// The longest datagram of the last try that can be smaller.
    longest: Cell<usize>,
}

impl PathMtu {
    /// For IP packets of `link_mtu` bytes with headers of `overhead` bytes. A ClientHello of up to `whole_hello` bytes
    /// stays in one datagram.
    pub fn new(overhead: u16, link_mtu: u16, whole_hello: u16) -> Self {
        let payload = |link_mtu: usize| link_mtu.saturating_sub(overhead.into());
        let planned = payload(link_mtu.into());
        let whole_hello = planned.max(whole_hello.into());
        Self {
            planned: Sizes {
                planned,
                whole_hello,
                reduced: [usize::MAX; STEPS],
                packs: COALESCE_RECORDS.get() != 0,
            },
            steps: LINK_MTUS.map(payload),
            taken: Cell::new(0),
            longest: Cell::new(0),
        }
    }

    /// The sizes for the next try.
    pub fn sizes(&self) -> Sizes {
        let mut sizes = self.planned;
        for (size, step) in sizes.reduced.iter_mut().zip(self.steps).take(self.taken.get()) {
            *size = step;
        }
        sizes
    }

    /// Notes the longest datagram of a try that can be smaller.
    pub fn note_longest(&self, longest: usize) {
        self.longest.set(longest);
    }

    /// Makes the datagrams smaller than those that were not answered in `tries` tries of a flight, if those could be the
    /// cause.
    pub fn note_unanswered(&self, tries: u32) {
        let taken = self.taken.get();
        let steps = self.steps.into_iter().zip(PATIENCE).skip(taken);
        let more =
            steps.into_iter().position(|(size, patience)| size < self.longest.get() && tries >= patience);
        self.taken.set(more.map_or(taken, |more| taken + more + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(link_mtu: u16, longest: [usize; 5]) -> Vec<usize> {
        let path = PathMtu::new(28, link_mtu, 1200);
        let tries = longest.into_iter().zip(1..).map(|(longest, tries)| {
            path.note_longest(longest);
            path.note_unanswered(tries);
            let sizes = path.sizes();
            sizes.reduced.into_iter().fold(sizes.planned, usize::min)
        });
        tries.collect()
    }

    #[test]
    fn i6_datagrams_become_smaller_after_two_tries() {
        assert_eq!(limits(1500, [1472, 1472, 1252, 548, 228]), [1472, 1252, 548, 228, 228]);
        assert_eq!(limits(576, [548, 548, 548, 548, 228]), [548, 548, 548, 228, 228]);
    }

    #[test]
    fn i6_short_datagrams_are_not_the_cause() {
        assert_eq!(limits(1500, [200; 5]), [1472; 5]);
        assert_eq!(limits(1500, [600, 600, 500, 200, 200]), [1472, 548, 548, 548, 548]);
    }
}
