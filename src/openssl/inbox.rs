// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datagram under way from the caller to OpenSSL: lent for the length of one call, never copied or kept.

use crate::record::{self, Record};
use std::cell::Cell;
use std::ptr::NonNull;

/// Hands a datagram to OpenSSL record by record, so that no record but the one in work leaves our sight.
#[derive(Default)]
pub struct Inbox {
    /// The datagram. Set only while [`Inbox::lend`] runs, when it is borrowed.
    whole: Cell<Option<NonNull<[u8]>>>,
    /// What OpenSSL has not read of it.
    rest: Cell<Option<NonNull<[u8]>>>,
    /// DTLSv1_listen(3) may look at a datagram without taking it.
    peeking: Cell<bool>,
}

/// Takes the datagram back even when the call unwinds.
struct Return<'a>(&'a Inbox);

impl Drop for Return<'_> {
    fn drop(&mut self) {
        self.0.whole.set(None);
        self.0.rest.set(None);
        self.0.peeking.set(false);
    }
}

impl Inbox {
    /// Runs `call`, during which OpenSSL can read `datagram`. Also says how many bytes at its end were not read.
    pub fn lend<R>(&self, datagram: &[u8], call: impl FnOnce() -> R) -> (R, usize) {
        let _return = Return(self);
        self.whole.set(Some(NonNull::from(datagram)));
        self.rest.set(self.whole.get());
        let result = call();
        (result, self.rest().len())
    }

    /// The whole datagram under way.
    pub fn lent(&self) -> &[u8] {
        self.borrow(&self.whole)
    }

    /// Whether records stay in place when they are read.
    pub fn set_peeking(&self, peeking: bool) {
        self.peeking.set(peeking);
    }

    /// The next whole record that `accept` lets through; the others are dropped, and so is a tail that is no record.
    pub fn next_record(&self, accept: impl Fn(&Record<'_>) -> bool) -> Option<&[u8]> {
        loop {
            let Some((record, rest)) = record::split_record(self.rest()) else {
                self.keep(&[]);
                return None;
            };
            let accepted = accept(&record);
            if !accepted || !self.peeking.get() {
                self.keep(rest);
            }
            if accepted {
                return Some(record.bytes);
            }
        }
    }

    /// Whether all of the datagram was read.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    fn rest(&self) -> &[u8] {
        self.borrow(&self.rest)
    }

    fn borrow(&self, part: &Cell<Option<NonNull<[u8]>>>) -> &[u8] {
        match part.get() {
            // SAFETY: `lend` set both parts from a borrow that lasts until `Return` has cleared them; `keep` only
            // shortens one. The slices handed out borrow `self` and are used up within a callback of the call that
            // `lend` runs.
            Some(bytes) => unsafe { bytes.as_ref() },
            None => &[],
        }
    }

    /// Only within [`Inbox::lend`]: outside there is nothing to keep.
    fn keep(&self, rest: &[u8]) {
        if self.rest.get().is_some() {
            self.rest.set(Some(NonNull::from(rest)));
        }
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
    fn s24_record_by_record_and_nothing_after_the_call() {
        let inbox = Inbox::default();
        let datagram = [TWO.as_slice(), &[1, 2, 3]].concat();
        let (kinds, unread) = inbox.lend(&datagram, || {
            let first = inbox.next_record(|_| true).map(|bytes| bytes[0]);
            let second = inbox.next_record(|_| true).map(|bytes| bytes[0]);
            [first, second, inbox.next_record(|_| true).map(|bytes| bytes[0])]
        });
        assert_eq!((kinds, unread), ([Some(22), Some(23), None], 0), "the tail is dropped");
        assert!(inbox.next_record(|_| true).is_none());
    }

    #[test]
    fn refused_records_are_skipped_and_peeked_ones_stay() {
        let inbox = Inbox::default();
        let (_, unread) = inbox.lend(&TWO, || {
            inbox.set_peeking(true);
            assert_eq!(inbox.next_record(|record| record.content == 23).map(<[u8]>::len), Some(14));
        });
        assert_eq!(unread, 14);
    }
}
