// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flights: what OpenSSL writes in one operation, cut into fragments and packed into datagrams (RFC 6347, 4.1.1).
//!
//! OpenSSL packs the first try of a flight, but gives each message of a later try a datagram of its own, with other
//! fragments. Some peers cannot join fragments of different tries (I1). Therefore OpenSSL gets a large MTU, hands
//! over whole messages, and they are cut here: every try of a flight has the fragments of the first one, or parts of
//! them where the path has turned out to need datagrams shorter than those.

#![forbid(unsafe_code)]

use super::message::{self, Fragment, kind};
use super::record::{self, CHANGE_CIPHER_SPEC, HANDSHAKE, Record};
use super::sequence::Sequence;
use std::ops::Range;

/// What precedes the bytes of a message in each fragment's record.
const OVERHEAD: usize = record::HEADER_LENGTH + message::HEADER_LENGTH;
/// A message starts in the rest of a datagram only if at least this many of its bytes fit.
const SHORTEST_START: usize = 32;

/// A ClientHello up to this length is never cut: what fits into the packet that every IPv4 host accepts (RFC 791, 3.1).
const NEVER_CUT_HELLO: usize = 576 - 20 - 8;

/// The sizes of datagrams, as UDP payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The limit of the first try.
    pub planned: usize,
    /// The limit of this try.
    pub limit: usize,
    /// The longest record of a fragment, in tries with a larger limit.
    pub record: usize,
    /// The most records in a datagram.
    pub records: usize,
    /// The datagram that a repeated flight begins with, if it has so many; those before it come last.
    pub first: usize,
}

impl Sizes {
    /// The most of a message that records of one datagram carry, if the datagram has this room.
    fn body_in(&self, room: usize) -> usize {
        let record = self.record.max(1);
        room / record * self.longest_body() + (room % record).saturating_sub(OVERHEAD)
    }

    /// What so much of a message takes up in a datagram.
    fn room_of(&self, body: usize) -> usize {
        body + OVERHEAD * body.div_ceil(self.longest_body()).max(1)
    }

    fn longest_body(&self) -> usize {
        self.record.saturating_sub(OVERHEAD).max(1)
    }

    /// Returns whether a fragment is sent in one record, however long, in datagrams of this limit.
    fn leaves_whole(&self, fragment: &Fragment<'_>, limit: usize) -> bool {
        let is_hello = fragment.kind == kind::CLIENT_HELLO && fragment.whole().is_some();
        let limit = if is_never_cut(fragment) { self.planned } else { limit };
        fragment.body.is_empty() || (is_hello && OVERHEAD + fragment.body.len() <= limit)
    }
}

/// Sends the records of `written` in datagrams of the sizes that a flight of this length has. Returns the length of the
/// longest that a later try could cut; `None` without memory: then not all of them were sent.
pub fn send(
    written: &[u8],
    sizes_of: &dyn Fn(usize) -> Sizes,
    sequence: &Sequence,
    send: &mut dyn FnMut(&[u8]),
) -> Option<usize> {
    let (mut longest, mut rest) = (0, written);
    while !rest.is_empty() {
        let (flight, behind) = rest.split_at(flight_length(rest, sequence));
        let sizes = sizes_of(flight.len());
        let first = if is_repeated(flight, sequence) { sizes.first } else { 0 };
        for part in [first..usize::MAX, 0..first] {
            longest = longest.max(send_part(flight, &sizes, part, sequence, send)?);
        }
        rest = behind;
    }
    Some(longest)
}

fn is_repeated(flight: &[u8], sequence: &Sequence) -> bool {
    let first = record::split_record(flight).and_then(|(record, _)| fragment_of(&record));
    first.is_some_and(|fragment| sequence.is_repeated(fragment.sequence))
}

/// The length of the first flight. There is another behind it when the peer's answer arrives after the timer has expired:
/// then the first is a repeated one.
fn flight_length(written: &[u8], sequence: &Sequence) -> usize {
    let (mut repeats, mut rest) = (false, written);
    while let Some((record, behind)) = record::split_record(rest) {
        if let Some(fragment) = fragment_of(&record) {
            let is_repeated = sequence.is_repeated(fragment.sequence);
            if repeats && !is_repeated {
                return written.len() - rest.len();
            }
            repeats = is_repeated;
        }
        rest = behind;
    }
    written.len()
}

/// Sends some of a flight's datagrams.
fn send_part(
    flight: &[u8],
    sizes: &Sizes,
    part: Range<usize>,
    sequence: &Sequence,
    send: &mut dyn FnMut(&[u8]),
) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    let mut plan = Plan { sizes, room: sizes.planned };
    let mut datagram = Vec::new();
    datagram.try_reserve_exact(flight.len().min(sizes.limit)).ok()?;
    let mut packer =
        Packer { sizes, part, index: 0, datagram, records: 0, can_shrink: false, longest: 0, sequence, send };
    let mut rest = flight;
    while let Some((record, behind)) = record::split_record(rest) {
        rest = behind;
        let behind = kept_with(&record, rest);
        match fragment_of(&record) {
            Some(fragment) => plan.cut(&fragment, behind, &mut |part, starts_datagram| {
                if starts_datagram {
                    packer.flush();
                }
                packer.add_fragment(&record, &part, behind)
            })?,
            None => {
                if plan.take(record.bytes.len(), behind) {
                    packer.flush();
                }
                packer.add(&record, behind)?;
            }
        }
    }
    packer.flush();
    Some(packer.longest)
}

/// The length of the record behind that stays in the same datagram. A peer cannot read a Finished without the
/// ChangeCipherSpec before it; Erlang's server cannot go on when it has a CertificateVerify and neither of the two
/// messages before it.
fn kept_with(record: &Record<'_>, behind: &[u8]) -> usize {
    let Some((next, _)) = record::split_record(behind) else { return 0 };
    let is = |record, kind| fragment_of(record).is_some_and(|fragment| fragment.kind == kind);
    let is_verified = is(record, kind::CLIENT_KEY_EXCHANGE) && is(&next, kind::CERTIFICATE_VERIFY);
    if record.content == CHANGE_CIPHER_SPEC || is_verified { next.bytes.len() } else { 0 }
}

/// The fragment that a record of epoch 0 consists of.
fn fragment_of<'a>(record: &Record<'a>) -> Option<Fragment<'a>> {
    if record.epoch != 0 || record.content != HANDSHAKE {
        return None;
    }
    Fragment::split(record.fragment).filter(|(_, behind)| behind.is_empty()).map(|(fragment, _)| fragment)
}

/// Where messages are cut, from the room that the datagrams of a first try have.
struct Plan<'a> {
    sizes: &'a Sizes,
    room: usize,
}

impl Plan<'_> {
    /// Takes up room, of the next datagram if there is not enough for `behind` more bytes: then returns true.
    fn take(&mut self, length: usize, behind: usize) -> bool {
        let starts_datagram = length + behind > self.room;
        if starts_datagram {
            self.room = self.sizes.planned;
        }
        self.room = self.room.saturating_sub(length);
        starts_datagram
    }

    /// Passes the parts of a fragment to `add`, and whether they start a datagram of the first try.
    fn cut<'b>(
        &mut self,
        fragment: &Fragment<'b>,
        behind: usize,
        add: &mut dyn FnMut(Fragment<'b>, bool) -> Option<()>,
    ) -> Option<()> {
        let mut rest = *fragment;
        loop {
            let length = self.next_length(&rest);
            let starts_datagram = self.take(self.sizes.room_of(length), behind);
            let (part, next) = rest.split_body(length);
            self.reduce(part, &mut |piece| add(piece, starts_datagram && piece.offset == part.offset))?;
            match next {
                Some(next) => rest = next,
                None => return Some(()),
            }
        }
    }

    /// The number of bytes that the first try sends in the next fragment.
    fn next_length(&self, rest: &Fragment<'_>) -> usize {
        let length = rest.body.len();
        let here = self.sizes.body_in(self.room);
        if length <= here || self.sizes.leaves_whole(rest, self.sizes.planned) {
            return length;
        }
        let there = self.sizes.body_in(self.sizes.planned).max(1);
        if here >= SHORTEST_START { here } else { length.min(there) }
    }

    /// Cuts what the first try sent in one datagram into records, and again at the limit of a later try.
    fn reduce<'b>(&self, part: Fragment<'b>, add: &mut dyn FnMut(Fragment<'b>) -> Option<()>) -> Option<()> {
        if self.sizes.leaves_whole(&part, self.sizes.limit) {
            return add(part);
        }
        let limit = self.sizes.limit.saturating_sub(OVERHEAD).max(1);
        let records = part.body.chunks(self.sizes.longest_body());
        let mut offset = part.offset;
        for body in records.flat_map(|record| record.chunks(limit)) {
            add(Fragment { offset, body, ..part })?;
            offset += body.len();
        }
        Some(())
    }
}

fn is_never_cut(fragment: &Fragment<'_>) -> bool {
    let is_hello = fragment.kind == kind::CLIENT_HELLO && fragment.whole().is_some();
    is_hello && OVERHEAD + fragment.body.len() <= NEVER_CUT_HELLO
}

/// Fills datagrams with records, and numbers those of epoch 0.
struct Packer<'a> {
    sizes: &'a Sizes,
    /// Which of them are sent.
    part: Range<usize>,
    index: usize,
    datagram: Vec<u8>,
    records: usize,
    /// Whether a later try could cut something in the datagram.
    can_shrink: bool,
    longest: usize,
    sequence: &'a Sequence,
    send: &'a mut dyn FnMut(&[u8]),
}

impl Packer<'_> {
    fn add(&mut self, record: &Record<'_>, behind: usize) -> Option<()> {
        self.make_room(record.bytes.len(), behind)?;
        let numbered = self.header(record, record.fragment.len());
        self.fill(&[&numbered, record.fragment]);
        Some(())
    }

    fn add_fragment(&mut self, record: &Record<'_>, fragment: &Fragment<'_>, behind: usize) -> Option<()> {
        self.make_room(OVERHEAD + fragment.body.len(), behind)?;
        self.can_shrink |= !is_never_cut(fragment);
        let length = message::HEADER_LENGTH + fragment.body.len();
        let numbered = self.header(record, length);
        self.sequence.note_message(fragment.sequence);
        self.fill(&[&numbered, &fragment.header(), fragment.body]);
        Some(())
    }

    /// Appends a record for which [`Packer::make_room`] has reserved memory.
    fn fill(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.datagram.extend_from_slice(part));
    }

    /// Only a record that is sent uses up a number.
    fn header(&self, record: &Record<'_>, length: usize) -> [u8; record::HEADER_LENGTH] {
        if self.part.contains(&self.index) {
            self.sequence.next_header(record, length)
        } else {
            *record.header
        }
    }

    /// Sends the datagram if a record of this length, or that and one with `behind` bytes, are too much for it.
    fn make_room(&mut self, length: usize, behind: usize) -> Option<()> {
        let Sizes { limit, records, .. } = *self.sizes;
        let are_too_many = self.records + usize::from(behind > 0) >= records;
        if are_too_many || self.datagram.len() + length + behind > limit {
            self.flush();
        }
        self.records += 1;
        self.datagram.try_reserve(length).ok()
    }

    fn flush(&mut self) {
        if !self.datagram.is_empty() {
            if std::mem::take(&mut self.can_shrink) {
                self.longest = self.longest.max(self.datagram.len());
            }
            if self.part.contains(&self.index) {
                (self.send)(&self.datagram);
            }
            self.datagram.clear();
            self.records = 0;
            self.index += 1;
        }
    }
}

#[cfg(test)]
mod tests;
