// SPDX-License-Identifier: MIT OR Apache-2.0
//! What comes for a connection.

#![forbid(unsafe_code)]

use super::Endpoint;
use super::program::{Peer, Program};
use crate::connection::State;
use crate::memory::Rc;
use crate::openssl::ssl::PlaintextBuffer;
use crate::peer::PeerAddress;
use std::time::Instant;

impl<P: Program> Endpoint<P> {
    /// Gives a datagram to the connection with its sender.
    #[inline]
    pub(super) fn deliver(&self, from: PeerAddress, peer: &Rc<P::Peer>, datagram: &[u8]) {
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
            association.keep_buffers(|| self.read_now(from, peer, datagram));
        }
    }

    fn read_now(&self, from: PeerAddress, peer: &Rc<P::Peer>, datagram: &[u8]) {
        let mut plaintext = self.plaintext.take();
        let outcome = peer.connection().read(datagram, PlaintextBuffer::from(&mut *plaintext));
        let length = outcome.as_ref().map_or(0, |(length, _)| *length);
        if let Some(message) = plaintext.get(..length).filter(|message| !message.is_empty()) {
            if self.limits.quiet().is_some() {
                self.peers.touch(from, Instant::now());
            }
            self.transport.program.received(peer, message);
        }
        self.plaintext.set(plaintext);
        match outcome {
            Ok((_, None)) => {}
            Ok((_, Some(error))) => self.fail(from, peer, error, &[]),
            Err(error) => self.fail(from, peer, error, datagram),
        }
    }
}
