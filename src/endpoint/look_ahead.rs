// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fetching what the next datagrams need.
//!
//! The data of many connections are more than a processor's cache holds, and a message touches a dozen places of its
//! connection, each found by what is in the one before. Read one after the other, each is waited for; so the places of all
//! connections of a batch are read in steps, in which the processor fetches many at the same time.

#![forbid(unsafe_code)]

use super::peers::Peers;
use super::program::Peer;
use crate::association::Step;
use crate::memory::Rc;
use crate::os::udp::Inbox;
use crate::peer::PeerAddress;
use std::cell::RefCell;

/// The number of connections whose data the cache holds: some 20 KiB of each.
const CACHED: usize = 128;

/// How many connections are fetched at the same time.
const MOST: usize = 64;

/// The connections of the next datagrams, while they are fetched.
pub struct LookAhead<P>(RefCell<Vec<Rc<P>>>);

impl<P: Peer> LookAhead<P> {
    /// `None` without memory.
    pub fn new() -> Option<Self> {
        let mut next = Vec::new();
        next.try_reserve_exact(MOST).ok()?;
        Some(Self(RefCell::new(next)))
    }

    /// Fetches what the connections of a batch need.
    pub fn fetch(&self, peers: &Peers<P>, inbox: &Inbox) {
        if peers.count().0 <= CACHED {
            return;
        }
        let mut next = self.0.borrow_mut();
        let senders = inbox.arrived().filter_map(|(from, _)| PeerAddress::of_socket(from.peer).ok());
        next.extend(senders.take(MOST).filter_map(|sender| peers.glance(sender)));
        for step in [Step::Itself, Step::Parts, Step::OpenSsl] {
            next.iter().for_each(|peer| peer.connection().prefetch(step));
        }
        next.clear();
    }
}
