// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

const PLANNED: Sizes = Sizes { planned: 548, limit: 548, record: 548, records: usize::MAX, first: 0 };
const LARGE: Sizes = Sizes { planned: 1472, limit: 1472, ..PLANNED };

/// A record of epoch 0 with a whole message, as OpenSSL writes it.
fn message(kind: u8, sequence: u8, length: usize) -> Vec<u8> {
    let body: Vec<u8> = (0..length).map(|place| place as u8).collect();
    let fragment = Fragment { kind, length, sequence: sequence.into(), offset: 0, body: &body };
    record(HANDSHAKE, 0, &[fragment.header().as_slice(), &body].concat())
}

fn record(content: u8, epoch: u8, fragment: &[u8]) -> Vec<u8> {
    let mut bytes = vec![content, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 99];
    bytes.extend((fragment.len() as u16).to_be_bytes());
    bytes.extend(fragment);
    bytes
}

fn server_flight() -> Vec<u8> {
    [message(2, 1, 100), message(11, 2, 1500), message(12, 3, 300), message(14, 4, 0)].concat()
}

fn sent(written: &[u8], sizes: &Sizes, sequence: &Sequence) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    let longest = send(written, &|_| *sizes, sequence, &mut |datagram| datagrams.push(datagram.to_vec()));
    assert!(longest.is_some_and(|longest| longest <= datagrams.iter().map(Vec::len).max().unwrap_or(0)));
    datagrams
}

/// Message, start and end of each fragment.
fn fragments(datagrams: &[Vec<u8>]) -> Vec<(u16, usize, usize)> {
    let mut found = Vec::new();
    for datagram in datagrams {
        let mut rest = datagram.as_slice();
        while let Some((record, behind)) = record::split_record(rest) {
            let fragment = fragment_of(&record).expect("a fragment");
            let end = fragment.offset + fragment.body.len();
            let bytes = (fragment.offset..end).map(|place| place as u8);
            assert!(bytes.eq(fragment.body.iter().copied()), "the bytes of their place");
            found.push((fragment.sequence, fragment.offset, end));
            rest = behind;
        }
        assert!(rest.is_empty());
    }
    found
}

fn numbers(datagrams: &[Vec<u8>]) -> Vec<u8> {
    let mut found = Vec::new();
    for datagram in datagrams {
        let mut rest = datagram.as_slice();
        while let Some((record, behind)) = record::split_record(rest) {
            found.push(record.header[10]);
            rest = behind;
        }
    }
    found
}

#[test]
fn a_flight_fills_its_datagrams() {
    let datagrams = sent(&server_flight(), &PLANNED, &Sequence::default());
    let lengths: Vec<_> = datagrams.iter().map(Vec::len).collect();
    assert_eq!(lengths, [548, 548, 548, 431]);
    let expected =
        [(1, 0, 100), (2, 0, 398), (2, 398, 921), (2, 921, 1444), (2, 1444, 1500), (3, 0, 300), (4, 0, 0)];
    assert_eq!(fragments(&datagrams), expected);
    assert_eq!(numbers(&datagrams), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn i1_another_try_has_the_same_fragments_under_new_numbers() {
    let sequence = Sequence::default();
    let first = sent(&server_flight(), &PLANNED, &sequence);
    let second = sent(&server_flight(), &PLANNED, &sequence);
    assert_eq!(fragments(&first), fragments(&second));
    assert_eq!(numbers(&second), [7, 8, 9, 10, 11, 12, 13]);
}

#[test]
fn i1_the_next_flight_behind_a_repeated_one_has_the_fragments_that_it_has_alone() {
    let next = [message(11, 5, 700), message(16, 6, 66)].concat();
    let alone = sent(&next, &PLANNED, &Sequence::default());
    let sequence = Sequence::default();
    sent(&server_flight(), &PLANNED, &sequence);
    let both = sent(&[server_flight(), next].concat(), &PLANNED, &sequence);
    assert_eq!(fragments(&both)[7..], fragments(&alone));
    assert_eq!(both.len(), 4 + alone.len());
}

#[test]
fn i9_a_large_datagram_has_several_short_records() {
    let datagrams = sent(&server_flight(), &LARGE, &Sequence::default());
    assert_eq!(datagrams.iter().map(Vec::len).collect::<Vec<_>>(), [1472, 603]);
    let expected = [(1, 0, 100), (2, 0, 523), (2, 523, 1046), (2, 1046, 1272)];
    assert_eq!(fragments(&datagrams)[..4], expected);
}

#[test]
fn i1_i6_smaller_datagrams_have_the_same_fragments_and_the_smallest_parts_of_them() {
    let first = fragments(&sent(&server_flight(), &LARGE, &Sequence::default()));
    for limit in [1252, 548, 228] {
        let datagrams = sent(&server_flight(), &Sizes { limit, ..LARGE }, &Sequence::default());
        assert!(datagrams.iter().all(|datagram| datagram.len() <= limit), "{limit}");
        let parts = fragments(&datagrams);
        assert_eq!(parts == first, limit >= LARGE.record, "{limit}");
        assert!(parts.iter().all(|(message, start, end)| {
            first.iter().any(|(other, from, to)| other == message && from <= start && end <= to)
        }));
        let length =
            |all: &[(u16, usize, usize)]| all.iter().map(|(_, start, end)| end - start).sum::<usize>();
        assert_eq!(length(&parts), length(&first));
    }
}

#[test]
fn i3_a_long_client_hello_is_cut_only_when_datagrams_become_smaller() {
    let hello = message(1, 0, 1472 - OVERHEAD);
    let counts =
        [1472, 1252, 548].map(|limit| sent(&hello, &Sizes { limit, ..LARGE }, &Sequence::default()).len());
    assert_eq!(counts, [1, 2, 3]);
}

#[test]
fn i1_one_record_in_each_datagram_on_request() {
    let sizes = Sizes { records: 1, ..PLANNED };
    let datagrams = sent(&server_flight(), &sizes, &Sequence::default());
    assert_eq!(datagrams.len(), 7);
    assert_eq!(fragments(&datagrams), fragments(&sent(&server_flight(), &PLANNED, &Sequence::default())));
}

#[test]
fn i3_a_short_client_hello_is_never_cut() {
    let smallest = Sizes { limit: 228, ..PLANNED };
    let sequence = Sequence::default();
    let lengths = [549 - OVERHEAD, 548 - OVERHEAD].map(|length| {
        let mut count = 0;
        let longest = send(&message(1, 0, length), &|_| smallest, &sequence, &mut |_| count += 1);
        (count, longest)
    });
    assert_eq!(lengths, [(4, Some(228)), (1, Some(0))]);
}

#[test]
fn other_records_stay_whole_and_later_epochs_keep_their_numbers() {
    let last = [message(16, 5, 66), record(20, 0, &[1]), record(HANDSHAKE, 1, &[7; 48])].concat();
    let datagrams = sent(&last, &PLANNED, &Sequence::default());
    assert_eq!(numbers(&datagrams), [0, 1, 99]);
    assert_eq!(datagrams.concat().len(), last.len());
    assert!(sent(&[22, 0xfe, 0xfd], &PLANNED, &Sequence::default()).is_empty());
}

#[test]
fn a_change_cipher_spec_stays_with_the_finished() {
    let last = [message(15, 5, 400), record(20, 0, &[1]), record(HANDSHAKE, 1, &[7; 48])].concat();
    let lengths = |limit, records| {
        let sizes = Sizes { planned: limit, limit, record: limit, records, ..PLANNED };
        sent(&last, &sizes, &Sequence::default()).iter().map(Vec::len).collect::<Vec<_>>()
    };
    let verify = OVERHEAD + 400;
    assert_eq!(lengths(verify + 14 + 61, usize::MAX), [verify + 14 + 61]);
    assert_eq!(lengths(verify + 14 + 60, usize::MAX), [verify, 14 + 61]);
    assert_eq!(lengths(verify + 14 + 61, 2), [verify, 14 + 61]);
    assert_eq!(lengths(verify + 14 + 61, 1), [verify, 14, 61]);
}

#[test]
fn i1_a_certificate_verify_stays_with_the_key_exchange() {
    let (finished, exchange, verify) = (14 + 61, OVERHEAD + 66, OVERHEAD + 260);
    let flight = [
        message(11, 2, 1619),
        message(16, 3, 66),
        message(15, 4, 260),
        record(20, 0, &[1]),
        record(HANDSHAKE, 1, &[7; 48]),
    ];
    let lengths = |flight: &[Vec<u8>], planned, records| {
        let sizes = Sizes { planned, limit: planned, records, ..PLANNED };
        let datagrams = sent(&flight.concat(), &sizes, &Sequence::default());
        datagrams.iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&flight, 548, 2), [548, 548, 548, 75, exchange + verify, finished]);
    assert_eq!(lengths(&flight, 548, 9), [548, 548, 548, 75 + exchange + verify + finished]);
    assert_eq!(lengths(&flight, 548, 1), [548, 548, 548, 75, exchange, verify, 14, 61]);
    // Without a CertificateVerify it goes where it fits.
    let unverified = [&flight[..2], &flight[3..]].concat();
    assert_eq!(lengths(&unverified, 548, 2), [548, 548, 548, 75 + exchange, finished]);
}

#[test]
fn a_limit_of_records_starts_another_datagram() {
    let sizes = Sizes { records: 2, ..PLANNED };
    let datagrams = sent(&server_flight(), &sizes, &Sequence::default());
    assert_eq!(datagrams.iter().map(Vec::len).collect::<Vec<_>>(), [548, 548, 548, 406, 25]);
}

#[test]
fn i9_a_small_receive_buffer_gets_a_long_flight_in_two_tries() {
    const ROOM: usize = 12;
    let flight = [message(2, 1, 100), message(11, 2, 7000), message(14, 3, 0)].concat();
    let sequence = Sequence::default();
    let first = sent(&flight, &PLANNED, &sequence);
    let second = sent(&flight, &Sizes { first: 10, ..PLANNED }, &sequence);
    assert!(first.len() > ROOM);
    assert_eq!(first.len(), second.len());
    assert!(numbers(&[first.clone(), second.clone()].concat()).is_sorted());
    let mut received = fragments(&[&first[..ROOM], &second[..ROOM]].concat());
    received.sort();
    received.dedup();
    assert_eq!(received, fragments(&first));
    // A first try, and one with fewer datagrams, are in order.
    let all = fragments(&first);
    let in_order = |start, sequence: &Sequence| {
        let sizes = Sizes { first: start, ..PLANNED };
        fragments(&sent(&flight, &sizes, sequence)) == all
    };
    assert!(in_order(10, &Sequence::default()) && in_order(20, &sequence) && in_order(0, &sequence));
    assert!(!in_order(10, &sequence));
}
