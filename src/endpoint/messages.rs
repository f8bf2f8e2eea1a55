// SPDX-License-Identifier: MIT OR Apache-2.0
//! What comes for a connection.
//!
//! Messages wait for each other; a datagram with anything else than a message comes after all those before it.

#![forbid(unsafe_code)]

use super::Endpoint;
use super::decrypted::Message;
use super::program::{Peer, Program};
use crate::connection::State;
use crate::memory::Rc;
use crate::openssl::buffers;
use crate::peer::PeerAddress;
use crate::wire::record::{self, APPLICATION_DATA};
use std::time::Instant;

impl<P: Program> Endpoint<P> {
    /// Gives a datagram to the connection with its sender.
    #[inline]
    pub(super) fn deliver(&self, from: PeerAddress, peer: &Rc<P::Peer>, datagram: &[u8]) {
        let is_complete = peer.connection().is_complete();
        if is_complete && is_message(datagram) && !buffers::is_crowd_for_endpoint() {
            let has_room = self.decrypted.borrow_mut().add(from, peer, datagram);
            if !has_room {
                self.hand_out(&[]);
            }
            return;
        }
        self.hand_out(&[]);
        match peer.connection().state() {
            State::InProgress => self.proceed(from, peer, datagram),
            State::Complete => self.read(from, peer, datagram),
            // The program has ended it: its peer is unknown now.
            State::NotStarted | State::PeerVerificationFailed => {
                self.peers.remove(from);
                self.greet(from, datagram);
            }
        }
    }

    /// Reads a datagram. What the program answers at once uses the same record buffers.
    pub(super) fn read(&self, from: PeerAddress, peer: &Rc<P::Peer>, datagram: &[u8]) {
        if let Some(association) = peer.connection().association() {
            association.keep_buffers(|| {
                self.decrypted.borrow_mut().add(from, peer, datagram);
                self.hand_out(datagram);
            });
        }
    }

    /// Gives the program the messages that wait. `datagram` is that of the last one, if it can begin another connection.
    #[inline]
    pub(super) fn hand_out(&self, datagram: &[u8]) {
        let taken = self.decrypted.borrow_mut().take();
        if let Some((plaintext, waiting)) = taken {
            self.hand_out_all(plaintext, waiting, datagram);
        }
    }

    #[inline(never)]
    fn hand_out_all(&self, plaintext: Vec<u8>, mut waiting: Vec<Message<P::Peer>>, datagram: &[u8]) {
        let version = self.peers.version();
        // Nothing follows a failure: only the last one can be.
        let failed = waiting.last().filter(|last| last.failure.is_some()).map(|last| Rc::clone(&last.peer));
        let mut start = 0;
        for message in waiting.drain(..) {
            let Message { from, peer, end, failure } = message;
            let text = plaintext.get(start..end).unwrap_or_default();
            start = end;
            // The program may have ended the connection meanwhile, but not one that has failed.
            let is_open = || {
                peer.connection().is_complete() || failed.as_ref().is_some_and(|failed| failed.is_same(&peer))
            };
            if (self.peers.version() == version || self.peers.has(from, &peer)) && is_open() {
                self.hand_over(from, &peer, text);
            }
            if let Some(error) = failure {
                self.fail(from, &peer, error, datagram);
            }
            if self.is_released.get() {
                break;
            }
        }
        self.decrypted.borrow_mut().put_back(plaintext, waiting);
        self.forget_ended();
    }

    fn hand_over(&self, from: PeerAddress, peer: &Rc<P::Peer>, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if self.limits.quiet().is_some() {
            self.peers.touch(from, Instant::now());
        }
        self.transport.program.received(peer, text);
    }
}

/// Returns whether a datagram is one record of application data.
fn is_message(datagram: &[u8]) -> bool {
    let first = record::split_record(datagram);
    first.is_some_and(|(record, rest)| record.content == APPLICATION_DATA && rest.is_empty())
}
