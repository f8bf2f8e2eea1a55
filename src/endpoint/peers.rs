// SPDX-License-Identifier: MIT OR Apache-2.0
//! The connections of an endpoint, by their peers' addresses.

#![forbid(unsafe_code)]

use super::address_hash::AddressHash;
use super::deadlines::{Deadlines, Number};
use crate::memory::Rc;
use crate::peer::PeerAddress;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// See the module documentation.
pub struct Peers<P> {
    known: RefCell<HashMap<PeerAddress, Entry<P>, AddressHash>>,
    deadlines: RefCell<Deadlines>,
    handshakes: Cell<usize>,
    last_number: Cell<Number>,
    version: Cell<Version>,
}

/// Of the table: another one after each addition and removal.
pub type Version = u64;

struct Entry<P> {
    peer: Rc<P>,
    times: Times,
}

/// What an endpoint knows about a connection's time.
#[derive(Clone, Copy)]
pub struct Times {
    number: Number,
    /// Whether its handshake is not complete.
    pub is_in_handshake: bool,
    /// When it began, or its peer's last message came.
    pub since: Instant,
    /// When it is looked at next.
    next: Option<Instant>,
}

impl Times {
    /// Whether a deadline is that of this connection's next look. One that has ended, or is looked at earlier or later,
    /// leaves its others behind.
    fn is_due(&self, at: Instant, number: Number) -> bool {
        self.number == number && self.next == Some(at)
    }
}

impl<P> Default for Peers<P> {
    fn default() -> Self {
        let (known, deadlines) = Default::default();
        let (handshakes, last_number, version) = Default::default();
        Self { known, deadlines, handshakes, last_number, version }
    }
}

impl<P> Peers<P> {
    /// The connection with a peer.
    #[inline]
    pub fn find(&self, address: PeerAddress) -> Option<Rc<P>> {
        self.known.borrow().get(&address).map(|entry| Rc::clone(&entry.peer))
    }

    /// The version of the table.
    #[inline]
    pub fn version(&self) -> Version {
        self.version.get()
    }

    fn note_change(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    /// Whether this is the connection with the peer.
    pub fn has(&self, address: PeerAddress, peer: &Rc<P>) -> bool {
        self.known.borrow().get(&address).is_some_and(|entry| entry.peer.is_same(peer))
    }

    /// Adds a connection, whose handshake begins. False if there is one with that peer, or no memory.
    pub fn add(&self, address: PeerAddress, peer: Rc<P>, now: Instant) -> bool {
        let mut known = self.known.borrow_mut();
        if known.contains_key(&address) || known.try_reserve(1).is_err() {
            return false;
        }
        self.note_change();
        let number = self.last_number.get().wrapping_add(1);
        self.last_number.set(number);
        self.handshakes.set(self.handshakes.get().saturating_add(1));
        known.insert(
            address,
            Entry { peer, times: Times { number, is_in_handshake: true, since: now, next: None } },
        );
        true
    }

    /// Forgets the connection with a peer.
    pub fn remove(&self, address: PeerAddress) -> Option<Rc<P>> {
        let entry = self.known.borrow_mut().remove(&address)?;
        self.note_change();
        self.count_out(entry.times);
        Some(entry.peer)
    }

    /// Forgets any.
    pub fn pop(&self) -> Option<Rc<P>> {
        let address = self.known.borrow().keys().next().copied()?;
        self.remove(address)
    }

    /// Notes that a handshake is complete.
    pub fn complete(&self, address: PeerAddress, now: Instant) {
        if let Some(entry) = self.known.borrow_mut().get_mut(&address) {
            self.count_out(entry.times);
            entry.times.is_in_handshake = false;
            entry.times.since = now;
            entry.times.next = None;
        }
    }

    fn count_out(&self, times: Times) {
        if times.is_in_handshake {
            self.handshakes.set(self.handshakes.get().saturating_sub(1));
        }
    }

    /// Notes a message.
    pub fn touch(&self, address: PeerAddress, now: Instant) {
        if let Some(entry) = self.known.borrow_mut().get_mut(&address) {
            entry.times.since = now;
        }
    }

    /// Begins the time for which complete connections may be quiet.
    pub fn restart_quiet(&self, now: Instant, longest: Option<Duration>) {
        let end = longest.and_then(|longest| now.checked_add(longest));
        for (address, Entry { times, .. }) in self.known.borrow_mut().iter_mut() {
            if !times.is_in_handshake {
                times.since = now;
                // Without memory it is looked at with its next datagram.
                times.next = end.filter(|end| self.deadlines.borrow_mut().add(*end, times.number, *address));
            }
        }
    }

    /// What is known of a connection's time.
    pub fn times(&self, address: PeerAddress) -> Option<Times> {
        self.known.borrow().get(&address).map(|entry| entry.times)
    }

    /// Has a connection looked at, at this time or before. Without memory it is looked at with its next datagram.
    pub fn wake(&self, address: PeerAddress, at: Instant) {
        let mut known = self.known.borrow_mut();
        let Some(Entry { times, .. }) = known.get_mut(&address) else { return };
        if times.next.is_none_or(|next| at < next)
            && self.deadlines.borrow_mut().add(at, times.number, address)
        {
            times.next = Some(at);
        }
    }

    /// Whether a connection may have to be looked at, at some time.
    #[inline]
    pub fn has_deadlines(&self) -> bool {
        !self.deadlines.borrow().is_empty()
    }

    /// The next connection that is to be looked at now.
    pub fn due(&self, now: Instant) -> Option<(PeerAddress, Rc<P>)> {
        loop {
            let (at, number, address) = self.deadlines.borrow_mut().take(now)?;
            let mut known = self.known.borrow_mut();
            if let Some(entry) = known.get_mut(&address).filter(|entry| entry.times.is_due(at, number)) {
                entry.times.next = None;
                return Some((address, Rc::clone(&entry.peer)));
            }
        }
    }

    /// When the next connection is to be looked at.
    pub fn next_deadline(&self) -> Option<Instant> {
        let known = self.known.borrow();
        let counts = |at, number, address: &PeerAddress| {
            known.get(address).is_some_and(|entry| entry.times.is_due(at, number))
        };
        self.deadlines.borrow_mut().next_that(counts)
    }

    /// The number of connections, and how many of them are in a handshake.
    pub fn count(&self) -> (usize, usize) {
        (self.known.borrow().len(), self.handshakes.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> PeerAddress {
        PeerAddress::new([127, 0, 0, 1].into(), port, 0).expect("valid")
    }

    fn peers(ports: &[u16], now: Instant) -> Peers<u16> {
        let peers = Peers::default();
        for port in ports {
            assert!(peers.add(address(*port), Rc::new(*port).expect("memory"), now));
        }
        peers
    }

    #[test]
    fn handshakes_are_counted() {
        let now = Instant::now();
        let peers = peers(&[1, 2, 3], now);
        assert!(!peers.add(address(1), Rc::new(9).expect("memory"), now));
        assert_eq!(peers.count(), (3, 3));
        peers.complete(address(2), now);
        peers.complete(address(2), now);
        assert_eq!(peers.count(), (3, 2));
        assert_eq!(peers.remove(address(2)).as_deref(), Some(&2));
        assert_eq!((peers.remove(address(2)).is_some(), peers.count()), (false, (2, 2)));
        assert!(peers.pop().is_some() && peers.pop().is_some() && peers.pop().is_none());
        assert_eq!(peers.count(), (0, 0));
    }

    #[test]
    fn a_connection_is_looked_at_once_for_each_time_it_is_due() {
        let now = Instant::now();
        let peers = peers(&[1, 2], now);
        let after = |ms| now + Duration::from_millis(ms);
        for (port, ms) in [(1, 30), (1, 40), (1, 20), (2, 25)] {
            peers.wake(address(port), after(ms));
        }
        assert_eq!(peers.next_deadline(), Some(after(20)));
        let due = |at| std::iter::from_fn(|| peers.due(after(at))).map(|(_, peer)| *peer).collect::<Vec<_>>();
        assert!(due(19).is_empty());
        assert_eq!(due(29), [1, 2]);
        // The entry for 30 is left over.
        assert_eq!((due(100), peers.next_deadline()), (vec![], None));
    }

    #[test]
    fn a_new_limit_for_quiet_peers_counts_from_then() {
        let now = Instant::now();
        let (then, longest) = (now + Duration::from_secs(5), Duration::from_secs(2));
        let peers = peers(&[1, 2], now);
        peers.complete(address(1), now);
        peers.restart_quiet(then, Some(longest));
        assert_eq!(peers.next_deadline(), Some(then + longest));
        peers.restart_quiet(then, None);
        assert_eq!(peers.next_deadline(), None);
    }

    #[test]
    fn what_does_not_count_any_more_wakes_nobody() {
        let now = Instant::now();
        let peers = peers(&[1, 2, 3], now);
        for (port, ms) in [(1, 10), (2, 20), (3, 30)] {
            peers.wake(address(port), now + Duration::from_millis(ms));
        }
        drop(peers.remove(address(1)));
        peers.complete(address(2), now);
        assert_eq!(peers.next_deadline(), Some(now + Duration::from_millis(30)));
    }

    #[test]
    fn what_was_found_holds_until_the_table_changes() {
        let now = Instant::now();
        let peers = peers(&[1], now);
        let changes = |change: &dyn Fn()| {
            let before = peers.version();
            change();
            peers.version() != before
        };
        for (what, change, is_change) in [
            ("another one", &|| assert!(peers.add(address(2), Rc::new(2).expect("memory"), now)), true),
            ("the same again", &|| assert!(!peers.add(address(2), Rc::new(2).expect("memory"), now)), false),
            ("complete", &|| peers.complete(address(2), now), false),
            ("gone", &|| drop(peers.remove(address(2))), true),
            ("gone before", &|| drop(peers.remove(address(2))), false),
        ] as [(&str, &dyn Fn(), bool); 5]
        {
            assert_eq!(changes(change), is_change, "{what}");
        }
    }

    #[test]
    fn the_next_connection_with_a_peer_is_another_one() {
        let now = Instant::now();
        let peers = peers(&[1], now);
        let first = peers.find(address(1)).expect("known");
        peers.wake(address(1), now);
        drop(peers.remove(address(1)));
        assert!(peers.add(address(1), Rc::new(7).expect("memory"), now));
        assert!(peers.due(now).is_none() && !peers.has(address(1), &first));
    }
}
