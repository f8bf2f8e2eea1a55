// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datagram on its way from the caller to OpenSSL: borrowed for one operation, never copied or kept.

#![forbid(unsafe_code)]

use crate::wire::record::{self, Record};
use std::cell::Cell;

/// Hands a datagram to OpenSSL record by record, so that only one record at a time leaves the library's sight.
pub struct Inbox<'a> {
    /// What OpenSSL has not read of it.
    rest: Cell<&'a [u8]>,
    /// DTLSv1_listen(3) may look at a record without taking it.
    peeking: Cell<bool>,
}

impl<'a> Inbox<'a> {
    /// The whole of `datagram`.
    #[inline]
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: Cell::new(datagram), peeking: Cell::new(false) }
    }

    /// Replaces what is left by `datagram`.
    pub fn lend(&self, datagram: &'a [u8]) {
        self.rest.set(datagram);
        self.peeking.set(false);
    }

    /// Sets whether records stay in place when they are read.
    pub fn set_peeking(&self, peeking: bool) {
        self.peeking.set(peeking);
    }

    /// The next whole record that `accept` lets through. Drops the others, and a tail that is no record.
    #[inline]
    pub fn next_record(&self, accept: impl Fn(&Record<'a>) -> bool) -> Option<Record<'a>> {
        loop {
            let Some((record, rest)) = record::split_record(self.rest.get()) else {
                self.rest.set(&[]);
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

    /// How many bytes at the end of the datagram were not read.
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
        let inbox = Inbox::new(&datagram);
        let next = || inbox.next_record(|_| true).map(|record| record.content);
        assert_eq!([next(), next(), next()], [Some(22), Some(23), None]);
        assert_eq!(inbox.unread(), 0);
    }

    #[test]
    fn refused_records_are_skipped_and_peeked_ones_stay() {
        let inbox = Inbox::new(&TWO);
        inbox.set_peeking(true);
        let record = inbox.next_record(|record| record.content == 23);
        assert_eq!(record.map(|record| record.bytes.len()), Some(14));
        assert_eq!(inbox.unread(), 14);
    }
}
