// SPDX-License-Identifier: MIT OR Apache-2.0
//! A ClientHello that comes again: a part of the server's flight was lost, and RFC 6347, 4.2.4 wants the flight at once.
//! OpenSSL leaves it to its timer, which a cookie that was long under way makes slow.

#![forbid(unsafe_code)]

use crate::wire::message::{Fragment, kind};
use crate::wire::record;
use std::cell::{Cell, RefCell};

/// What a server answers, if it has verified the client's address.
#[derive(Default)]
pub struct Repetition {
    /// The flight that begins with a ServerHello, until the next one.
    flight: RefCell<Vec<u8>>,
    /// Whether the datagram under way contains the ClientHello again.
    is_asked_for: Cell<bool>,
}

impl Repetition {
    /// Keeps a flight that was sent, if it answers a ClientHello.
    pub fn keep(&self, written: Vec<u8>) {
        let is_answer = record::split_record(&written)
            .and_then(|(first, _)| Fragment::split(first.fragment))
            .is_some_and(|(message, _)| message.kind == kind::SERVER_HELLO);
        self.flight.replace(if is_answer { written } else { Vec::new() });
    }

    /// Forgets the flight, which has been answered.
    pub fn forget(&self) {
        self.flight.take();
    }

    /// Notes whether a ClientHello is the answered one.
    pub fn note_hello(&self, is_again: bool) {
        self.is_asked_for.set(is_again);
    }

    /// Passes the flight to `send` if the client asks for it and it may be sent.
    pub fn send(&self, may_send: impl FnOnce() -> bool, send: impl FnOnce(&[u8])) {
        let flight = self.flight.take();
        if self.is_asked_for.take() && !flight.is_empty() && may_send() {
            send(&flight);
        }
        self.flight.replace(flight);
    }
}
