// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datagrams that can go out as one message.

use super::socket::Route;

/// How many of them wait at most, and are sent together.
pub const RUNS: usize = 64;

/// The system cuts at most 64 datagrams out of one, which has at most 65,507 bytes.
const MOST_CUT: usize = 64;
const LONGEST_WHOLE: usize = 65_507;
/// What is larger may not fit into a packet of the usual size; the system does not cut that.
const LONGEST_CUT: usize = 1500 - 48;

/// See the module documentation.
pub struct Run {
    pub to: Route,
    /// The length of them all.
    pub length: usize,
    /// The length of each but the last one, which may be shorter.
    pub each: usize,
    pub number: usize,
    /// How many there may be: as many as now behind a shorter one.
    most: usize,
}

impl Run {
    /// Of one datagram.
    pub fn new(to: Route, length: usize) -> Self {
        let most = if length <= LONGEST_CUT { MOST_CUT.min(LONGEST_WHOLE / length.max(1)) } else { 1 };
        Self { to, length, each: length, number: 1, most }
    }

    /// Puts a datagram behind the others. False if the system could not cut that.
    #[inline]
    pub fn join(&mut self, to: &Route, length: usize) -> bool {
        let joins = length <= self.each && self.number < self.most && self.to == *to;
        if joins {
            self.length += length;
            self.number += 1;
            self.most = if length < self.each { self.number } else { self.most };
        }
        joins
    }

    /// The first of several.
    pub fn first(&self) -> Self {
        Self::new(self.to, self.each)
    }

    /// Takes away the first of several.
    pub fn shorten(&mut self) {
        self.length = self.length.saturating_sub(self.each);
        self.number = self.number.saturating_sub(1);
        self.most = self.most.saturating_sub(1);
        self.each = self.each.min(self.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::PeerAddress;

    #[test]
    fn only_what_can_be_cut_is_joined() {
        let peer = |port| PeerAddress::new([127, 0, 0, 1].into(), port, 0).expect("valid");
        let route = |port| Route { peer: peer(port), own: None };
        for (first, second, port, joins) in [
            (100, 100, 9, true),
            (100, 7, 9, true),
            (7, 100, 9, false),
            (100, 100, 10, false),
            (LONGEST_CUT, 1, 9, true),
            (LONGEST_CUT + 1, 1, 9, false),
        ] {
            let mut run = Run::new(route(9), first);
            assert_eq!(run.join(&route(port), second), joins, "{first} {second} {port}");
        }
        let mut run = Run::new(route(9), 1);
        assert_eq!((0..100).filter(|_| run.join(&route(9), 1)).count(), MOST_CUT - 1);
        let mut run = Run::new(route(9), LONGEST_CUT);
        assert_eq!((0..100).filter(|_| run.join(&route(9), LONGEST_CUT)).count(), 44);
    }

    #[test]
    fn a_shorter_one_is_the_last() {
        let peer = PeerAddress::new([127, 0, 0, 1].into(), 9, 0).expect("valid");
        let to = Route { peer, own: None };
        let mut run = Run::new(to, 10);
        assert!(run.join(&to, 10) && run.join(&to, 4) && !run.join(&to, 4));
        let mut lengths = Vec::new();
        while run.number > 1 {
            lengths.push(run.first().length);
            run.shorten();
        }
        lengths.push(run.length);
        assert_eq!(lengths, [10, 10, 4]);
        // Nothing gets behind the shorter one when the first was sent alone, either.
        let mut run = Run::new(to, 10);
        assert!(run.join(&to, 10) && run.join(&to, 4));
        run.shorten();
        assert!(!run.join(&to, 4));
    }
}
