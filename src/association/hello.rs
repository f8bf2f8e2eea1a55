// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ClientHello: when a client sends it without a session ticket (I3), what answers it, and what a server does when it
//! comes again.

#![forbid(unsafe_code)]

use super::Association;
use super::operation::Operation;
use crate::wire::hello::{ClientHello, MAX_COOKIE};
use crate::wire::message::{Fragment, kind};
use crate::wire::record::Record;

/// How often a client sends a ClientHello with a session ticket: for twelve seconds by default. Another hello cannot take
/// the answer to this one any more, so it must not come before the answer can.
const TRIES_WITH_SESSION: u32 = 5;

impl Operation<'_> {
    /// Returns whether OpenSSL has written a first ClientHello that a session ticket, and then a cookie, makes too long
    /// for one datagram.
    pub(super) fn hello_is_too_long(&self) -> bool {
        let Association { ssl, path_mtu, sequence, first_record, .. } = self.association;
        let limit = path_mtu.longest_in_one().saturating_sub(MAX_COOKIE);
        let is_first = sequence.next_record() == first_record.get();
        is_first && ssl.offers_session() && self.association.outbox.len() > limit
    }

    /// Returns whether it is time to send a ClientHello without the session ticket: with it no try was answered, and some
    /// servers do not bear it.
    pub(super) fn should_drop_session(&self) -> bool {
        let Association { ssl, timer, has_answer, .. } = self.association;
        let is_due = || ssl.time_left().is_some_and(|left| left.is_zero());
        !has_answer.get() && ssl.offers_session() && timer.tries() >= TRIES_WITH_SESSION && is_due()
    }

    /// Returns whether a record answers a hello before the present handshake began: a HelloVerifyRequest names the hello by
    /// the number of its record (RFC 6347, 4.2.1).
    pub(super) fn is_stale(&self, record: &Record<'_>) -> bool {
        let is_request = || kind_of(record) == Some(kind::HELLO_VERIFY_REQUEST);
        record.epoch == 0 && record.number() < self.association.first_record.get() && is_request()
    }

    /// Notes a ClientHello, and what a server answers to it.
    pub(super) fn note_answer(&self, record: &Record<'_>) {
        match kind_of(record).filter(|_| record.epoch == 0) {
            Some(kind::HELLO_VERIFY_REQUEST) => self.association.timer.note_answer_to(record.number()),
            Some(kind::CLIENT_HELLO) => self.note_hello(record),
            Some(kind::SERVER_HELLO) => self.association.has_answer.set(true),
            _ => {}
        }
    }

    /// Notes a ClientHello that has been answered. Only a peer that has seen the first one knows its random.
    fn note_hello(&self, record: &Record<'_>) {
        let Association { verified_hello, sequence, repetition, .. } = self.association;
        let verified = verified_hello.borrow();
        let is_again = |hello: &ClientHello<'_>| {
            verified.as_ref().is_some_and(|verified| verified.random == *hello.random)
        };
        let hello = ClientHello::from_record(record).filter(|_| sequence.has_begun());
        repetition.note_hello(hello.as_ref().is_some_and(is_again));
    }

    /// Sends the flight again if the client asks for it, but no more often than a timer would.
    pub(super) fn repeat_flight(&self) {
        let Association { timer, repetition, .. } = self.association;
        let send = |flight: &[u8]| {
            self.association.statistics.retransmissions.one();
            self.send_datagrams(flight);
        };
        repetition.send(|| timer.may_repeat(), send);
    }
}

/// The type of the first handshake message of a record.
fn kind_of(record: &Record<'_>) -> Option<u8> {
    Fragment::split(record.fragment).map(|(fragment, _)| fragment.kind)
}
