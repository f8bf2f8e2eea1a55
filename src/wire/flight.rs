// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flights: what OpenSSL writes in one operation, cut into fragments and packed into datagrams (RFC 6347, 4.1.1).
//!
//! OpenSSL packs the first try of a flight, but gives each message of a later try a datagram of its own, with other
//! fragments. Some peers cannot join fragments of different tries (I1). Therefore OpenSSL gets a large MTU, hands
//! over whole messages, and they are cut here: every try of a flight has the fragments of the first one, or parts of
//! them where the path has turned out to need smaller datagrams.

#![forbid(unsafe_code)]

use super::message::{self, Fragment, kind};
use super::record::{self, HANDSHAKE, Record};
use super::sequence::Sequence;
use crate::memory;

/// What precedes the bytes of a message in each fragment's record.
const OVERHEAD: usize = record::HEADER_LENGTH + message::HEADER_LENGTH;
/// A message starts in the rest of a datagram only if at least this many of its bytes fit.
const SHORTEST_START: usize = 32;

/// A ClientHello up to this length is never cut: what fits into the packet that every IPv4 host accepts (RFC 791, 3.1).
const NEVER_CUT_HELLO: usize = 576 - 20 - 8;

/// The number of further limits that a path may turn out to have.
pub const STEPS: usize = 3;

/// The sizes of datagrams, as UDP payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The limit of the first try.
    pub planned: usize,
    /// A ClientHello up to this length is not cut.
    pub whole_hello: usize,
    /// The limits of later tries, the largest first; `usize::MAX` for none.
    pub reduced: [usize; STEPS],
    /// Whether a datagram may have several records.
    pub packs: bool,
}

impl Sizes {
    fn smallest(&self) -> usize {
        self.reduced.iter().copied().fold(self.planned, usize::min)
    }

    fn is_reduced(&self) -> bool {
        self.reduced.iter().any(|size| *size != usize::MAX)
    }
}

/// Sends the records of `written` in datagrams. Returns the length of the longest that a later try could cut; `None`
/// without memory: then not all of them were sent.
pub fn send(
    written: &[u8],
    sizes: &Sizes,
    sequence: &Sequence,
    send: &mut dyn FnMut(&[u8]),
) -> Option<usize> {
    let mut plan = Plan { sizes, room: sizes.planned, repeats: false };
    let (limit, packs) = (sizes.smallest(), sizes.packs);
    let mut packer =
        Packer { limit, packs, datagram: Vec::new(), can_shrink: false, longest: 0, sequence, send };
    let mut rest = written;
    while let Some((record, behind)) = record::split_record(rest) {
        rest = behind;
        match fragment_of(&record) {
            Some(fragment) => {
                if plan.starts_flight(sequence.is_repeated(fragment.sequence)) {
                    packer.flush();
                }
                plan.cut(&fragment, &mut |part| packer.add_fragment(&record, &part))?;
            }
            None => {
                plan.take(record.bytes.len());
                packer.add(&record)?;
            }
        }
    }
    packer.flush();
    Some(packer.longest)
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
    repeats: bool,
}

impl Plan<'_> {
    /// Notes whether a message was sent before. Returns whether it is the first of a flight behind a repeated one, as
    /// when the peer's answer arrives after the timer has expired.
    fn starts_flight(&mut self, repeated: bool) -> bool {
        let starts = self.repeats && !repeated;
        self.repeats = repeated;
        if starts {
            self.room = self.sizes.planned;
        }
        starts
    }

    /// Takes up room, of the next datagram if there is not enough.
    fn take(&mut self, length: usize) {
        if length > self.room {
            self.room = self.sizes.planned;
        }
        self.room = self.room.saturating_sub(length);
    }

    /// Passes the parts of a fragment to `add`.
    fn cut<'b>(
        &mut self,
        fragment: &Fragment<'b>,
        add: &mut dyn FnMut(Fragment<'b>) -> Option<()>,
    ) -> Option<()> {
        let mut rest = *fragment;
        loop {
            let length = self.next_length(&rest);
            self.take(OVERHEAD + length);
            let (part, behind) = rest.split_body(length);
            self.reduce(part, add)?;
            match behind {
                Some(behind) => rest = behind,
                None => return Some(()),
            }
        }
    }

    /// The number of bytes that the first try sends in the next fragment.
    fn next_length(&self, rest: &Fragment<'_>) -> usize {
        let length = rest.body.len();
        let is_hello = rest.kind == kind::CLIENT_HELLO && rest.whole().is_some();
        if (is_hello && OVERHEAD + length <= self.sizes.whole_hello) || OVERHEAD + length <= self.room {
            return length;
        }
        let here = self.room.saturating_sub(OVERHEAD);
        let there = self.sizes.planned.saturating_sub(OVERHEAD).max(1);
        if here >= SHORTEST_START { here } else { length.min(there) }
    }

    /// Cuts what the first try sent in one fragment at the limits of later tries.
    fn reduce<'b>(&self, part: Fragment<'b>, add: &mut dyn FnMut(Fragment<'b>) -> Option<()>) -> Option<()> {
        let [first, second, third] = self.sizes.reduced.map(|size| size.saturating_sub(OVERHEAD).max(1));
        if !self.sizes.is_reduced() || part.body.is_empty() || is_never_cut(&part) {
            return add(part);
        }
        let pieces = part.body.chunks(first).flat_map(|piece| piece.chunks(second));
        let mut offset = part.offset;
        for body in pieces.flat_map(|piece| piece.chunks(third)) {
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
    limit: usize,
    packs: bool,
    datagram: Vec<u8>,
    /// Whether a later try could cut something in the datagram.
    can_shrink: bool,
    longest: usize,
    sequence: &'a Sequence,
    send: &'a mut dyn FnMut(&[u8]),
}

impl Packer<'_> {
    fn add(&mut self, record: &Record<'_>) -> Option<()> {
        self.make_room(record.bytes.len())?;
        let numbered = self.sequence.next_header(record, record.fragment.len());
        memory::append(&mut self.datagram, &numbered)?;
        memory::append(&mut self.datagram, record.fragment)
    }

    fn add_fragment(&mut self, record: &Record<'_>, fragment: &Fragment<'_>) -> Option<()> {
        self.make_room(OVERHEAD + fragment.body.len())?;
        self.can_shrink |= !is_never_cut(fragment);
        let length = message::HEADER_LENGTH + fragment.body.len();
        let numbered = self.sequence.next_header(record, length);
        self.sequence.note_message(fragment.sequence);
        memory::append(&mut self.datagram, &numbered)?;
        memory::append(&mut self.datagram, &fragment.header())?;
        memory::append(&mut self.datagram, fragment.body)
    }

    /// Sends the datagram if `length` bytes more are too many for it.
    fn make_room(&mut self, length: usize) -> Option<()> {
        if !self.packs || self.datagram.len() + length > self.limit {
            self.flush();
        }
        self.datagram.try_reserve(length).ok()
    }

    fn flush(&mut self) {
        if !self.datagram.is_empty() {
            if std::mem::take(&mut self.can_shrink) {
                self.longest = self.longest.max(self.datagram.len());
            }
            (self.send)(&self.datagram);
            self.datagram.clear();
        }
    }
}

#[cfg(test)]
mod tests;
