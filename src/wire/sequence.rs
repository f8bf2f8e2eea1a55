// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record sequence numbers of a server's handshake after a cookie exchange.
//!
//! A listener keeps no count: its answer to a ClientHello repeats the number of the ClientHello's record, and the
//! ServerHello repeats that of the ClientHello with the cookie, so that no number is used twice (RFC 6347, 4.2.1).
//! DTLSv1_listen(3) of OpenSSL 3.5 and 3.6 gives the ServerHello number 1 instead. A client that retransmitted its
//! hello and was answered twice has already received number 1, and drops the ServerHello as a replay.

#![forbid(unsafe_code)]

use super::record::HEADER_LENGTH;
use crate::memory;
use std::borrow::Cow;
use std::cell::Cell;

/// Sequence numbers have 48 bits.
const MAX_NUMBER: u64 = (1 << 48) - 1;

/// Raises the sequence numbers of epoch 0, which are not authenticated, so that the first one follows the
/// ClientHello's.
#[derive(Default)]
pub struct Sequence {
    /// The lowest number that the first record may have.
    first: Cell<Option<u64>>,
    shift: Cell<u64>,
}

impl Sequence {
    /// Makes the records sent from now on follow a ClientHello with this epoch, which is 0, and number.
    pub fn follow_on(&self, hello: [u8; 8]) {
        self.first.set(Some(u64::from_be_bytes(hello) & MAX_NUMBER));
        self.shift.set(0);
    }

    /// Returns the datagram, with its numbers raised if necessary; `None` without memory for that.
    pub fn raised<'a>(&self, datagram: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let Some(header) = datagram.first_chunk::<HEADER_LENGTH>() else {
            return Some(Cow::Borrowed(datagram));
        };
        if let Some(first) = self.first.take() {
            self.shift.set(first.saturating_sub(number(header)));
        }
        match self.shift.get() {
            0 => Some(Cow::Borrowed(datagram)),
            shift => raised_by(shift, datagram).map(Cow::Owned),
        }
    }
}

/// Returns whether a datagram starts with a record of epoch 0. No record of epoch 0 follows one of a later epoch.
#[inline]
pub fn is_of_epoch_0(datagram: &[u8]) -> bool {
    matches!(datagram, [_, _, _, 0, 0, ..])
}

fn raised_by(shift: u64, datagram: &[u8]) -> Option<Vec<u8>> {
    let mut raised = memory::copy(datagram)?;
    let mut rest = raised.as_mut_slice();
    while let Some((header, fragments)) = rest.split_first_chunk_mut::<HEADER_LENGTH>() {
        let [_, _, _, epoch_high, epoch_low, .., length_high, length_low] = *header;
        if [epoch_high, epoch_low] == [0, 0] {
            let [_, _, n5, n4, n3, n2, n1, n0] = ((number(header) + shift) & MAX_NUMBER).to_be_bytes();
            let [_, _, _, _, _, place @ .., _, _] = header;
            *place = [n5, n4, n3, n2, n1, n0];
        }
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        rest = fragments.get_mut(length..).unwrap_or_default();
    }
    Some(raised)
}

fn number(header: &[u8; HEADER_LENGTH]) -> u64 {
    let [_, _, _, _, _, n5, n4, n3, n2, n1, n0, _, _] = *header;
    u64::from_be_bytes([0, 0, n5, n4, n3, n2, n1, n0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: u8, number: u8) -> Vec<u8> {
        vec![22, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, number, 0, 2, 7, 7]
    }

    fn raised(sequence: &Sequence, datagram: &[u8]) -> Vec<u8> {
        sequence.raised(datagram).expect("memory").into_owned()
    }

    #[test]
    fn numbers_of_epoch_0_are_raised_to_the_hellos() {
        let sequence = Sequence::default();
        sequence.follow_on([0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(raised(&sequence, &record(0, 1)), record(0, 9));
        let last_flight = [record(0, 5), record(1, 0)].concat();
        assert_eq!(raised(&sequence, &last_flight), [record(0, 13), record(1, 0)].concat());
        assert!(is_of_epoch_0(&last_flight) && !is_of_epoch_0(&record(1, 1)) && !is_of_epoch_0(&[22, 0, 0]));
    }

    #[test]
    fn right_numbers_are_left_alone() {
        let sequence = Sequence::default();
        assert_eq!(raised(&sequence, &record(0, 1)), record(0, 1));
        sequence.follow_on([0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(raised(&sequence, &record(0, 9)), record(0, 9));
        assert_eq!(raised(&sequence, &record(0, 10)), record(0, 10));
    }

    #[test]
    fn no_number_and_no_length_is_too_large() {
        let sequence = Sequence::default();
        sequence.follow_on([0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let mut cut = record(0, 1);
        cut.truncate(HEADER_LENGTH);
        let numbered = raised(&sequence, &cut);
        assert_eq!(numbered[5..11], [0xff; 6]);
        let wrapped = raised(&sequence, &record(0, 2));
        assert_eq!(wrapped[5..11], [0; 6]);
    }
}
