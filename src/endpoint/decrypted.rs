// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages that were decrypted and wait for the program.
//!
//! A few datagrams are decrypted one after the other, and then the program gets their messages, one after the other: what
//! it answers runs other parts of OpenSSL than what decrypts, and both together are more than a processor's cache for
//! instructions holds.

#![forbid(unsafe_code)]

use super::program::Peer;
use crate::error::Error;
use crate::memory::{self, Rc};
use crate::openssl::ssl::PlaintextBuffer;
use crate::peer::PeerAddress;
use std::mem;

/// How many messages wait for each other: what both parts need of their connections fits into the cache next to the
/// processor.
const MOST: usize = 8;
/// How much of the plaintext they may have filled when another one is decrypted.
const MOST_FILLED: usize = 1 << 14;
/// Room for the plaintext of any datagram, and of what has arrived before the handshake was finished.
const LARGEST: usize = 1 << 17;

/// See the module documentation.
pub struct Decrypted<P> {
    plaintext: Vec<u8>,
    filled: usize,
    waiting: Vec<Message<P>>,
}

/// What a datagram has brought.
pub struct Message<P> {
    pub from: PeerAddress,
    pub peer: Rc<P>,
    /// Where its plaintext ends; it begins where that of the one before ends.
    pub end: usize,
    /// Why the connection ends with it.
    pub failure: Option<Error>,
}

impl<P: Peer> Decrypted<P> {
    /// `None` without memory.
    pub fn new() -> Option<Self> {
        let plaintext = memory::zeroes(MOST_FILLED + LARGEST)?;
        let mut waiting = Vec::new();
        waiting.try_reserve_exact(MOST).ok()?;
        Some(Self { plaintext, filled: 0, waiting })
    }

    /// Decrypts a datagram. Returns whether another one can follow: there is room, and this one has not failed.
    pub fn add(&mut self, from: PeerAddress, peer: &Rc<P>, datagram: &[u8]) -> bool {
        let room = self.plaintext.get_mut(self.filled..).unwrap_or_default();
        let (length, failure) = match peer.connection().read(datagram, PlaintextBuffer::from(room)) {
            Ok(received) => received,
            Err(error) => (0, Some(error)),
        };
        let has_failed = failure.is_some();
        if length > 0 || has_failed {
            self.filled += length;
            self.waiting.push(Message { from, peer: Rc::clone(peer), end: self.filled, failure });
        }
        !has_failed && self.waiting.len() < MOST && self.filled <= MOST_FILLED
    }

    /// Takes the plaintext and the messages, if there are any, until they are put back.
    #[inline]
    pub fn take(&mut self) -> Option<(Vec<u8>, Vec<Message<P>>)> {
        let is_any = !self.waiting.is_empty();
        is_any.then(|| (mem::take(&mut self.plaintext), mem::take(&mut self.waiting)))
    }

    /// Puts back what was taken, when the program has the messages.
    pub fn put_back(&mut self, plaintext: Vec<u8>, waiting: Vec<Message<P>>) {
        *self = Self { plaintext, filled: 0, waiting };
    }
}
