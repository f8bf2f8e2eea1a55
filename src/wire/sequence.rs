// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers of the records and messages that one side sends in epoch 0, which are not authenticated.
//!
//! The library cuts OpenSSL's messages into records of its own (`wire/flight.rs`), so it numbers them. A listener keeps no
//! count: its answer to a ClientHello repeats the number of the ClientHello's record, and the ServerHello repeats that
//! of the ClientHello with the cookie, so that no number is used twice (RFC 6347, 4.2.1).

#![forbid(unsafe_code)]

use super::record::{HEADER_LENGTH, Record};
use std::cell::Cell;

/// Sequence numbers have 48 bits.
const MAX_NUMBER: u64 = (1 << 48) - 1;

/// See the module documentation.
#[derive(Default)]
pub struct Sequence {
    next_record: Cell<u64>,
    next_message: Cell<u32>,
}

impl Sequence {
    /// Makes the records sent from now on follow a ClientHello with this epoch, which is 0, and number.
    pub fn follow_on(&self, hello: [u8; 8]) {
        self.next_record.set(u64::from_be_bytes(hello) & MAX_NUMBER);
    }

    /// The header of the next record like `record`, with `length` bytes behind it. A record of a later epoch keeps its
    /// number.
    pub fn next_header(&self, record: &Record<'_>, length: usize) -> [u8; HEADER_LENGTH] {
        let mut header = *record.header;
        let [_, _, _, number @ .., length_high, length_low] = &mut header;
        if record.epoch == 0 {
            let next = self.next_record.get();
            self.next_record.set((next + 1) & MAX_NUMBER);
            // The two highest bytes are zero, as is the epoch.
            *number = next.to_be_bytes();
        }
        // OpenSSL made the record, and a part of it is not longer.
        [*length_high, *length_low] = (length as u16).to_be_bytes();
        header
    }

    /// The number that the next record will have.
    pub fn next_record(&self) -> u64 {
        self.next_record.get()
    }

    /// Notes that a message was sent.
    pub fn note_message(&self, sequence: u16) {
        self.next_message.set(self.next_message.get().max(u32::from(sequence) + 1));
    }

    /// Returns whether any message was sent.
    pub fn has_begun(&self) -> bool {
        self.next_message.get() > 0
    }

    /// Returns whether a message was sent before.
    pub fn is_repeated(&self, sequence: u16) -> bool {
        u32::from(sequence) < self.next_message.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::record::split_record;

    fn record(epoch: u8, number: u8) -> Vec<u8> {
        vec![22, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, number, 0, 2, 7, 7]
    }

    fn next(sequence: &Sequence, record: &[u8]) -> u64 {
        let (record, _) = split_record(record).expect("a record");
        let header = sequence.next_header(&record, 2);
        assert_eq!((header[..3].to_vec(), header[11..].to_vec()), (vec![22, 0xfe, 0xfd], vec![0, 2]));
        u64::from_be_bytes(header[3..11].try_into().expect("8 bytes"))
    }

    #[test]
    fn numbers_of_epoch_0_count_up_and_others_stay() {
        let sequence = Sequence::default();
        assert_eq!([next(&sequence, &record(0, 7)), next(&sequence, &record(0, 7))], [0, 1]);
        assert_eq!(next(&sequence, &record(1, 7)), (1 << 48) + 7);
        sequence.follow_on([0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!([next(&sequence, &record(0, 1)), next(&sequence, &record(0, 1))], [9, 10]);
    }

    #[test]
    fn no_number_is_too_large() {
        let sequence = Sequence::default();
        sequence.follow_on([0xff; 8]);
        assert_eq!([next(&sequence, &record(0, 1)), next(&sequence, &record(0, 2))], [MAX_NUMBER, 0]);
        sequence.note_message(u16::MAX);
        assert!(sequence.is_repeated(u16::MAX));
    }

    #[test]
    fn i1_messages_are_known_again() {
        let sequence = Sequence::default();
        assert!(!sequence.is_repeated(0));
        sequence.note_message(1);
        sequence.note_message(0);
        assert!(sequence.is_repeated(1) && !sequence.is_repeated(2));
    }
}
