// SPDX-License-Identifier: MIT OR Apache-2.0
//! The size of a handshake's datagrams: as planned, and smaller when the path seems to drop those (RFC 6347, 4.1.1.1).

#![forbid(unsafe_code)]

use crate::settings::COALESCE_RECORDS;
use crate::wire::flight::Sizes;
use std::cell::Cell;

/// The number of steps in which datagrams become smaller.
const STEPS: usize = 3;
/// IP packets that are tried when larger ones are not answered: the minimum of IPv6, what every IPv4 host accepts (RFC
/// 791, 3.1), and OpenSSL's smallest (d1_lib.c).
const LINK_MTUS: [usize; STEPS] = [1280, 576, 256];
/// The unanswered tries of a flight before each. Few paths need the last, and on one that loses datagrams at random more
/// of them do harm.
const PATIENCE: [u32; STEPS] = [2, 2, 6];
/// The datagrams that a small receive buffer holds. RFC 9147, 5.8.3 wants no more records at once; Erlang's socket takes
/// twelve.
const BURST: usize = 10;
/// The shortest flight that is planned for packets of 1280 bytes though it needs several of them.
const LONG_FLIGHT: usize = 4096;

/// See the module documentation. Sizes are those of UDP payload.
pub struct PathMtu {
    hint: Option<usize>,
    steps: [usize; STEPS],
    packs: bool,
    /// The number of steps taken.
    taken: Cell<usize>,
    /// The longest datagram of the last try that can be smaller.
    longest: Cell<usize>,
    /// The unanswered tries of the present flight.
    tries: Cell<u32>,
}

impl PathMtu {
    /// For headers of `overhead` bytes, and IP packets of `link_mtu` bytes if anything is known about the path.
    pub fn new(overhead: u16, link_mtu: Option<u16>) -> Self {
        let payload = |link_mtu: usize| link_mtu.saturating_sub(overhead.into());
        Self {
            hint: link_mtu.map(|link_mtu| payload(link_mtu.into())),
            steps: LINK_MTUS.map(payload),
            packs: COALESCE_RECORDS.get() != 0,
            taken: Cell::new(0),
            longest: Cell::new(0),
            tries: Cell::new(0),
        }
    }

    /// The longest flight that is sent in one datagram.
    pub fn longest_in_one(&self) -> usize {
        let [large, ..] = self.steps;
        self.hint.unwrap_or(large)
    }

    /// The sizes for the next try of a flight of this length.
    pub fn sizes(&self, length: usize) -> Sizes {
        let [large, usual, _] = self.steps;
        let (planned, records) = match self.hint {
            Some(hint) => (hint, usize::MAX),
            None if length <= large || length >= LONG_FLIGHT => (large, usize::MAX),
            // In datagrams that do not become smaller within four tries, since dimpl cannot join different ones, and with
            // no more records than libcoap with GnuTLS reads of a repeated one.
            None => (usual, 2),
        };
        let records = if self.packs { records } else { 1 };
        let limit = self.steps.into_iter().take(self.taken.get()).fold(planned, usize::min);
        // Every step but the last only moves fragments to other datagrams.
        Sizes { planned, limit, record: planned.min(usual), records, first: self.first() }
    }

    /// The datagram that a repeated flight begins with. Where the first ten of a try fill the receive buffer, the others
    /// come first in every second one.
    fn first(&self) -> usize {
        let tries = self.tries.get() as usize;
        if tries % 2 == 1 { BURST * (1 + tries / 2 % 2) } else { 0 }
    }

    /// Notes the longest datagram of a try that can be smaller.
    pub fn note_longest(&self, longest: usize) {
        self.longest.set(longest);
    }

    /// Makes the datagrams smaller than those that were not answered in `tries` tries of a flight, if those could be the
    /// cause.
    pub fn note_unanswered(&self, tries: u32) {
        self.tries.set(tries);
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

    fn limits<const N: usize>(link_mtu: u16, longest: [usize; N]) -> Vec<usize> {
        let path = PathMtu::new(28, Some(link_mtu));
        let tries = longest.into_iter().zip(1..).map(|(longest, tries)| {
            path.note_longest(longest);
            path.note_unanswered(tries);
            path.sizes(2000).limit
        });
        tries.collect()
    }

    #[test]
    fn i6_datagrams_become_smaller_after_two_tries() {
        assert_eq!(limits(1500, [1472, 1472, 1252, 548, 548, 548]), [1472, 1252, 548, 548, 548, 228]);
        assert_eq!(limits(576, [548; 6]), [548, 548, 548, 548, 548, 228]);
    }

    #[test]
    fn i9_every_second_try_begins_behind_what_a_small_buffer_holds() {
        let path = PathMtu::new(28, None);
        let firsts = (0..8).map(|tries| {
            path.note_unanswered(tries);
            path.sizes(2000).first
        });
        assert_eq!(firsts.collect::<Vec<_>>(), [0, 10, 0, 20, 0, 10, 0, 20]);
    }

    #[test]
    fn i6_short_datagrams_are_not_the_cause() {
        assert_eq!(limits(1500, [200; 5]), [1472; 5]);
        assert_eq!(limits(1500, [600, 600, 500, 200, 200]), [1472, 548, 548, 548, 548]);
    }

    #[test]
    fn i9_without_a_hint_a_flight_goes_in_one_datagram_if_it_can() {
        let path = PathMtu::new(28, None);
        let planned = [100, 1252, 1253, 4095, 4096].map(|length| path.sizes(length).planned);
        assert_eq!(planned, [1252, 1252, 548, 548, 1252]);
        assert_eq!(path.longest_in_one(), 1252);
        let with_hint = PathMtu::new(28, Some(600));
        assert_eq!([100, 2000, 5000].map(|length| with_hint.sizes(length).planned), [572; 3]);
    }
}
