// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has come, and the connections that it is for.
//!
//! The data of many connections are more than a processor's cache holds, and a message touches a dozen places of its
//! connection, each found by what is in the one before. Read one after the other, each is waited for; so the places of the
//! next few connections are read in steps, in which the processor fetches many at the same time.

#![forbid(unsafe_code)]

use super::peers::{Peers, Version};
use super::program::Peer;
use crate::association::Step;
use crate::memory::{self, Rc};
use crate::os::udp::{INBOX_SIZE, Inbox, Udp};
use crate::peer::PeerAddress;
use std::io;
use std::net::IpAddr;

/// The number of connections whose data the cache holds: some 20 KiB of each.
const CACHED: usize = 16;

/// How many messages are looked at ahead: what their connections need fits into the cache next to the processor.
const AHEAD: usize = 8;

/// See the module documentation.
pub struct Intake<P> {
    inbox: Inbox,
    /// The number of messages that were looked at.
    position: usize,
    next: Vec<Next<P>>,
    /// Of the table in which their connections were found.
    version: Version,
}

/// A message that is handled next.
pub struct Next<P> {
    message: usize,
    pub from: PeerAddress,
    /// Its connection, if there was one when it was looked at.
    peer: Option<Rc<P>>,
}

impl<P: Peer> Intake<P> {
    /// `None` without memory.
    pub fn new() -> Option<Self> {
        let inbox = memory::zeroes(INBOX_SIZE).and_then(Inbox::new)?;
        let mut next = Vec::new();
        next.try_reserve_exact(AHEAD).ok()?;
        Some(Self { inbox, position: 0, next, version: Version::default() })
    }

    /// Reads what waits, and returns whether more may.
    pub fn receive(&mut self, socket: &Udp) -> io::Result<bool> {
        self.position = 0;
        self.inbox.receive(socket)
    }

    /// Looks at the next message, or in a crowd at a few, and returns whether there are any.
    pub fn look_ahead(&mut self, peers: &Peers<P>) -> bool {
        if self.position == self.inbox.count() {
            return false;
        }
        if !self.goes_on(peers) {
            self.look_for_peers(peers);
        }
        true
    }

    /// Takes the next message if it comes from the sender of the last one.
    #[inline]
    fn goes_on(&mut self, peers: &Peers<P>) -> bool {
        let [last] = &mut *self.next else { return false };
        let is_same = self.inbox.sender(self.position) == Some(last.from) && peers.version() == self.version;
        if is_same {
            last.message = self.position;
            self.position += 1;
        }
        is_same
    }

    fn look_for_peers(&mut self, peers: &Peers<P>) {
        self.next.clear();
        self.version = peers.version();
        let is_crowd = peers.count().0 > CACHED;
        let end = self.inbox.count().min(self.position + if is_crowd { AHEAD } else { 1 });
        for message in self.position..end {
            let Some(from) = self.inbox.sender(message) else { continue };
            let peer = match self.next.last() {
                Some(last) if last.from == from => last.peer.clone(),
                _ => peers.find(from),
            };
            self.next.push(Next { message, from, peer });
        }
        self.position = end;
        if is_crowd {
            self.fetch();
        }
    }

    fn fetch(&self) {
        for step in [Step::Itself, Step::Parts, Step::OpenSsl] {
            let found = self.next.iter().filter_map(|next| next.peer.as_ref());
            found.for_each(|peer| peer.connection().prefetch(step));
        }
    }

    /// Lets the connections go that were looked at.
    pub fn let_go(&mut self) {
        self.next.clear();
    }

    /// What [`Intake::look_ahead`] has looked at, but for what no peer can have sent.
    pub fn next(&self) -> &[Next<P>] {
        &self.next
    }

    /// The datagrams of a message, and the own address that they came to, if the socket has several.
    #[inline]
    pub fn datagrams(&self, next: &Next<P>) -> Option<(Option<IpAddr>, impl Iterator<Item = &[u8]>)> {
        self.inbox.datagrams(next.message)
    }

    /// The connection of a message, unless the table has changed since it was looked at.
    #[inline]
    pub fn peer<'a>(&self, next: &'a Next<P>, peers: &Peers<P>) -> Option<&'a Rc<P>> {
        next.peer.as_ref().filter(|_| peers.version() == self.version)
    }
}
