// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which records OpenSSL sees during a handshake.
//!
//! OpenSSL ends a handshake on some records that anyone can forge, and reserves memory for what a few bytes announce.
//! Recognisably invalid records are dropped before OpenSSL sees them, as RFC 6347, 4.1.2.7 recommends (S8, F9), and what
//! is not authenticated is limited in number and length (A6).

#![forbid(unsafe_code)]

use super::hello::ClientHello;
use super::message::{Fragment, Rule, kind};
use super::record::{ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, Record};
use crate::role::Role;
use std::cell::RefCell;
use std::fmt;

/// A handshake has at most eight messages of one side in epoch 0; OpenSSL takes none more than ten ahead (statem_dtls.c).
const MAX_MESSAGES: usize = 12;
/// What all messages of a peer in epoch 0 may have together, above the limit for its certificates.
const OTHER_MESSAGES: usize = 1 << 16;
/// OpenSSL keeps records of the epoch to come, each in a buffer of 17 KiB, up to a hundred (rec_layer_d1.c). So many of
/// application data are passed to it,
const MAX_EARLY_DATA: u8 = 16;
/// and so many others: a Finished is repeated at most twelve times.
const MAX_EARLY_OTHERS: u8 = 24;

/// The filter of one handshake.
pub struct Admission {
    role: Role,
    max_cert_list: usize,
    seen: RefCell<Seen>,
}

/// What has been passed to OpenSSL.
#[derive(Default)]
struct Seen {
    /// The messages of epoch 0, by sequence number.
    messages: [Option<Message>; MAX_MESSAGES],
    early_data: u8,
    early_others: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Message {
    kind: u8,
    length: usize,
}

/// The reason why a record is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be valid, or there are too many.
    Invalid,
    /// It announces more than is accepted.
    TooLong(TooLong),
}

/// A handshake message, or the sum of all, above its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    what: &'static str,
    length: usize,
    limit: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, length, limit } = self;
        write!(f, "dropped a {what} of {length} bytes, the limit is {limit}")
    }
}

impl Admission {
    /// The filter of a handshake in which this end has `role` and accepts certificate chains of `max_cert_list` bytes.
    pub fn new(role: Role, max_cert_list: usize) -> Self {
        Self { role, max_cert_list, seen: RefCell::default() }
    }

    /// Decides on one record. In epoch 0 only handshake messages that the peer can send at this place, well-formed
    /// ChangeCipherSpecs and, unless `strict_alerts` is set, well-formed alerts are allowed. OpenSSL authenticates the
    /// records of the next epoch, as soon as it has the keys.
    pub fn check(&self, record: &Record<'_>, strict_alerts: bool) -> Result<(), Refusal> {
        let admissible = match (record.epoch, record.content) {
            (0, HANDSHAKE) => return self.check_messages(record),
            (0, CHANGE_CIPHER_SPEC) => record.fragment == [1],
            (0, ALERT) => !strict_alerts && matches!(record.fragment, [1 | 2, _]),
            (1, _) => self.seen.borrow_mut().count(record.is_application_data()),
            _ => false,
        };
        if admissible { Ok(()) } else { Err(Refusal::Invalid) }
    }

    /// Returns whether a message with this number has come that has another length.
    pub fn has_other_length(&self, sequence: u16, length: usize) -> bool {
        let known = self.seen.borrow().messages.get(usize::from(sequence)).copied().flatten();
        known.is_some_and(|message| message.length != length)
    }

    fn check_messages(&self, record: &Record<'_>) -> Result<(), Refusal> {
        let mut content = record.fragment;
        loop {
            let (fragment, rest) = Fragment::split(content).ok_or(Refusal::Invalid)?;
            let is_hello = fragment.kind == kind::CLIENT_HELLO && fragment.offset == 0;
            // The parser of the listener and of start, so that all of them see the same hello (A7).
            if is_hello && ClientHello::from_record(record).is_none() {
                return Err(Refusal::Invalid);
            }
            self.check_fragment(&fragment)?;
            if rest.is_empty() {
                return Ok(());
            }
            content = rest;
        }
    }

    fn check_fragment(&self, fragment: &Fragment<'_>) -> Result<(), Refusal> {
        let rule = Rule::of(self.role, fragment.kind).ok_or(Refusal::Invalid)?;
        let (shortest, longest) = rule.lengths(self.max_cert_list);
        if fragment.length > longest {
            return Err(too_long(rule.name(), fragment.length, longest));
        }
        if fragment.length < shortest || fragment.contradicts_itself() {
            return Err(Refusal::Invalid);
        }
        let limit = self.max_cert_list.saturating_add(OTHER_MESSAGES);
        self.seen.borrow_mut().note(self.role, rule, fragment, limit)
    }
}

fn too_long(what: &'static str, length: usize, limit: usize) -> Refusal {
    Refusal::TooLong(TooLong { what, length, limit })
}

impl Seen {
    /// Notes a message of which a fragment came. The first fragment says what the message is; OpenSSL would end the
    /// handshake on one that says otherwise, and on a message in the wrong place.
    fn note(
        &mut self,
        role: Role,
        rule: &Rule,
        fragment: &Fragment<'_>,
        limit: usize,
    ) -> Result<(), Refusal> {
        let message = Message { kind: fragment.kind, length: fragment.length };
        let place = usize::from(fragment.sequence);
        let known = |place: usize| self.messages.get(place).copied().flatten();
        if let Some(first) = known(place) {
            return if first == message { Ok(()) } else { Err(Refusal::Invalid) };
        }
        let follows = match place.checked_sub(1) {
            None => rule.may_be_first(),
            Some(before) => known(before).is_none_or(|before| rule.may_follow(before.kind)),
        };
        let next = known(place.saturating_add(1)).and_then(|next| Rule::of(role, next.kind));
        if !follows || next.is_some_and(|next| !next.may_follow(message.kind)) {
            return Err(Refusal::Invalid);
        }
        let total =
            self.messages.iter().flatten().map(|message| message.length).sum::<usize>() + message.length;
        if total > limit {
            return Err(too_long("handshake", total, limit));
        }
        *self.messages.get_mut(place).ok_or(Refusal::Invalid)? = Some(message);
        Ok(())
    }

    /// Counts a record of the next epoch. Returns whether there may be one more.
    fn count(&mut self, is_data: bool) -> bool {
        let (number, most) = match is_data {
            true => (&mut self.early_data, MAX_EARLY_DATA),
            false => (&mut self.early_others, MAX_EARLY_OTHERS),
        };
        let allowed = *number < most;
        *number += u8::from(allowed);
        allowed
    }
}

#[cfg(test)]
mod tests;
