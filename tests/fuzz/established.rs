// SPDX-License-Identifier: MIT OR Apache-2.0
//! An established connection on a network that loses, repeats, reorders and damages datagrams, and brings foreign ones.
//!
//! Every message arrives unchanged and at most once, and only a close_notify ends the connection.

use super::ends::{self, COMPLETE, SIDES, Side};
use super::library::error::Status;
use super::mutation::{below, byte, bytes, mutate};
use super::pair::{Credentials, Pair};
use super::repeatable;
use arbitrary::Unstructured;
use std::collections::HashSet;

const MOST_STEPS: u32 = 200;

pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let mut talk = Talk::new(&mut input);
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        talk.step(&mut input);
    }
    talk.finish();
}

struct Talk {
    pair: Pair,
    /// What was sent to each side, in the handshake too, and may arrive at any time.
    wires: [Vec<Vec<u8>>; 2],
    /// The numbers of the messages that each side has received.
    received: [HashSet<u32>; 2],
    /// The messages that each side has sent.
    sent: [u32; 2],
    /// Which sides have sent a close_notify, or may have.
    closes: bool,
}

impl Talk {
    /// Shakes hands, and keeps what was sent.
    fn new(input: &mut Unstructured<'_>) -> Self {
        let credentials = if byte(input) & 1 == 0 { Credentials::Psk } else { Credentials::Certificate };
        let pair = ends::pair(credentials);
        let wires = connect(&pair);
        Self { pair, wires, received: Default::default(), sent: [0; 2], closes: false }
    }

    fn step(&mut self, input: &mut Unstructured<'_>) {
        let choice = byte(input);
        let side = SIDES[usize::from(choice & 1)];
        match choice >> 1 & 15 {
            0..=4 => self.write(side, usize::from(byte(input))),
            5 => self.write(side, below(input, 1 << 14)),
            6..=9 => self.deliver_one(side, input, |_, _| ()),
            10..=12 => self.deliver_one(side, input, mutate),
            13 => self.deliver_two(side, input),
            14 => self.deliver(side, bytes(input)),
            _ if byte(input) == 255 => self.close(side),
            _ => repeatable::pass(1_000_000),
        }
    }

    /// Sends a message of its number, its length and a filler.
    fn write(&mut self, side: Side, length: usize) {
        if self.pair.end(side).state() != COMPLETE {
            return;
        }
        let message = message(side, self.sent[side as usize], length);
        assert_eq!(self.pair.end(side).write(&message), Status::Ok);
        self.sent[side as usize] += 1;
        let datagram = self.pair.end(side).take().expect("a datagram");
        self.wires[side.other() as usize].push(datagram);
    }

    fn deliver_one(
        &mut self,
        side: Side,
        input: &mut Unstructured<'_>,
        change: impl Fn(&mut Unstructured<'_>, &mut Vec<u8>),
    ) {
        let wire = &self.wires[side as usize];
        if let Some(mut datagram) = wire.get(below(input, wire.len())).cloned() {
            change(input, &mut datagram);
            self.deliver(side, &datagram);
        }
    }

    /// Two in one datagram, of any senders.
    fn deliver_two(&mut self, side: Side, input: &mut Unstructured<'_>) {
        let [one, other] = [0, 1].map(|_| {
            let wire = &self.wires[usize::from(byte(input) & 1)];
            wire.get(below(input, wire.len())).cloned().unwrap_or_default()
        });
        self.deliver(side, &[one, other].concat());
    }

    fn deliver(&mut self, side: Side, datagram: &[u8]) {
        let end = self.pair.end(side);
        if end.state() != COMPLETE {
            return;
        }
        let plaintext = end.read_all(datagram).expect("reading does not fail");
        assert!(end.state() == COMPLETE || self.closes, "ended by what anyone could send");
        self.take_messages(side, &plaintext);
        while let Some(answer) = self.pair.end(side).take() {
            self.wires[side.other() as usize].push(answer);
        }
    }

    fn take_messages(&mut self, side: Side, mut plaintext: &[u8]) {
        while !plaintext.is_empty() {
            let (number, length) = header(plaintext).expect("a message that was sent");
            assert!(number < self.sent[side.other() as usize]);
            let expected = message(side.other(), number, length);
            assert!(plaintext.starts_with(&expected), "a message has changed");
            assert!(self.received[side as usize].insert(number), "a message has arrived twice");
            plaintext = &plaintext[expected.len()..];
        }
    }

    fn close(&mut self, side: Side) {
        if self.pair.end(side).state() == COMPLETE {
            self.closes = true;
            assert_eq!(self.pair.end(side).shutdown(), Status::Ok);
            let notify = self.pair.end(side).take().expect("a close_notify");
            self.wires[side.other() as usize].push(notify);
        }
    }

    /// What is sent now arrives, whatever was before.
    fn finish(&mut self) {
        for side in SIDES {
            if SIDES.iter().all(|side| self.pair.end(*side).state() == COMPLETE) {
                let number = self.sent[side as usize];
                self.write(side, 10);
                let datagram = self.wires[side.other() as usize].last().cloned().expect("the message");
                self.deliver(side.other(), &datagram);
                assert!(self.received[side.other() as usize].contains(&number));
            }
        }
    }
}

/// Shakes hands, and returns the datagrams that were sent to each side.
fn connect(pair: &Pair) -> [Vec<Vec<u8>>; 2] {
    let mut wires: [Vec<Vec<u8>>; 2] = Default::default();
    for side in SIDES {
        assert_eq!(pair.end(side).init(), Status::Ok);
    }
    assert_eq!(pair.client.start(&[]), Status::Ok);
    loop {
        if let Some(datagram) = pair.client.take() {
            assert_eq!(pair.to_server(&datagram), Ok(()));
            wires[Side::Server as usize].push(datagram);
        } else if let Some(datagram) = pair.answer() {
            assert_eq!(pair.client.proceed(&datagram), Status::Ok);
            wires[Side::Client as usize].push(datagram);
        } else {
            break;
        }
    }
    assert_eq!(SIDES.map(|side| pair.end(side).state()), [COMPLETE; 2]);
    wires
}

const HEADER: usize = 8;

/// A message that tells its number and its length.
fn message(side: Side, number: u32, length: usize) -> Vec<u8> {
    let length = length.min((1 << 14) - HEADER);
    let mut message = number.to_be_bytes().to_vec();
    message.extend((length as u32).to_be_bytes());
    message.resize(HEADER + length, number as u8 ^ side as u8);
    message
}

fn header(message: &[u8]) -> Option<(u32, usize)> {
    let (number, rest) = message.split_first_chunk::<4>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), u32::from_be_bytes(*length) as usize))
}
