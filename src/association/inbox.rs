// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datagram passed from the caller to OpenSSL: borrowed for one operation, never copied or kept.

#![forbid(unsafe_code)]

use crate::statistics::Dropped;
use crate::wire::record::{self, Record};
use std::cell::Cell;

/// Passes a datagram to OpenSSL record by record, so that the library can check each record first.
pub struct Inbox<'a> {
    /// The part that OpenSSL has not read.
    rest: Cell<&'a [u8]>,
    /// Whether reading leaves the record in place, as DTLSv1_listen(3) requests.
    peeking: Cell<bool>,
    dropped: &'a Dropped,
}

impl<'a> Inbox<'a> {
    /// An inbox with the whole of `datagram`.
    #[inline]
    pub fn new(datagram: &'a [u8], dropped: &'a Dropped) -> Self {
        Self { rest: Cell::new(datagram), peeking: Cell::new(false), dropped }
    }

    /// Replaces the unread part by `datagram`.
    pub fn lend(&self, datagram: &'a [u8]) {
        self.rest.set(datagram);
        self.peeking.set(false);
    }

    /// Sets whether reading leaves records in place.
    pub fn set_peeking(&self, peeking: bool) {
        self.peeking.set(peeking);
    }

    /// Returns the next whole record that `accept` allows. Drops the others, and a tail that is not a record.
    #[inline]
    pub fn next_record(&self, accept: impl Fn(&Record<'a>) -> bool) -> Option<Record<'a>> {
        loop {
            let Some((record, rest)) = record::split_record(self.rest.get()) else {
                let tail = self.rest.take();
                self.dropped.malformed.add(tail.len() as u64);
                return None;
            };
            let accepted = accept(&record);
            if !accepted || !self.peeking.get() {
                self.rest.set(rest);
            }
            if accepted {
                return Some(record);
            }
        }
    }

    /// The number of unread bytes at the end of the datagram.
    #[inline]
    pub fn unread(&self) -> usize {
        self.rest.get().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [u8; 28] = {
        let mut bytes = [0; 28];
        bytes[0] = 22;
        bytes[1] = 0xfe;
        bytes[12] = 1;
        bytes[14] = 23;
        bytes[15] = 0xfe;
        bytes[26] = 1;
        bytes
    };

    #[test]
    fn s24_record_by_record_and_the_tail_is_dropped() {
        let datagram = [TWO.as_slice(), &[1, 2, 3]].concat();
        let dropped = Dropped::default();
        let inbox = Inbox::new(&datagram, &dropped);
        let next = || inbox.next_record(|_| true).map(|record| record.content);
        assert_eq!([next(), next(), next()], [Some(22), Some(23), None]);
        assert_eq!(inbox.unread(), 0);
        assert_eq!(dropped.malformed.get(), 3);
    }

    #[test]
    fn refused_records_are_skipped_and_peeked_ones_stay() {
        let dropped = Dropped::default();
        let inbox = Inbox::new(&TWO, &dropped);
        inbox.set_peeking(true);
        let record = inbox.next_record(|record| record.content == 23);
        assert_eq!(record.map(|record| record.bytes.len()), Some(14));
        assert_eq!(inbox.unread(), 14);
    }
}
