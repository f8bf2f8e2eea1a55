// SPDX-License-Identifier: MIT OR Apache-2.0
//! Both ends of a handshake on a network that loses, repeats, reorders and damages datagrams, then works.
//!
//! Nothing hangs: each end finishes or reports an error. A network that only loses, repeats and reorders stops no
//! handshake.

use super::ends::{self, COMPLETE, NOT_STARTED, SIDES, Side};
use super::library::error::Status;
use super::mutation::{below, byte, bytes, mutate};
use super::pair::{Credentials, Pair};
use super::repeatable;
use arbitrary::Unstructured;
use std::collections::VecDeque;

const MOST_STEPS: u32 = 200;
/// Six expired timers leave a handshake six tries more.
const MOST_EXPIRIES: u32 = 6;

pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let mut network = Network::new(&mut input);
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        network.step(&mut input);
    }
    network.work();
    network.check();
}

struct Network {
    pair: Pair,
    /// What is under way to each side.
    wires: [VecDeque<Vec<u8>>; 2],
    errors: [Option<Status>; 2],
    expiries: u32,
    is_damaged: bool,
}

impl Network {
    fn new(input: &mut Unstructured<'_>) -> Self {
        let credentials = if byte(input) & 1 == 0 { Credentials::Psk } else { Credentials::Certificate };
        let pair = ends::pair(credentials);
        for side in SIDES {
            let hint = [0, 0, 256, 576, 1280, 1500][below(input, 6)];
            assert_eq!(pair.end(side).set_mtu_hint(hint), Status::Ok);
            assert_eq!(pair.end(side).init(), Status::Ok);
        }
        assert_eq!(pair.client.start(&[]), Status::Ok);
        let mut network =
            Self { pair, wires: Default::default(), errors: [None; 2], expiries: 0, is_damaged: false };
        network.collect();
        network
    }

    fn collect(&mut self) {
        while let Some(datagram) = self.pair.client.take() {
            self.wires[Side::Server as usize].push_back(datagram);
        }
        while let Some(datagram) = self.pair.answer() {
            self.wires[Side::Client as usize].push_back(datagram);
        }
    }

    fn step(&mut self, input: &mut Unstructured<'_>) {
        let choice = byte(input);
        let side = SIDES[usize::from(choice & 1)];
        let wire = &mut self.wires[side as usize];
        match choice >> 1 & 7 {
            0 | 1 => self.deliver_next(side),
            2 => drop(wire.pop_front()),
            3 => wire.extend(wire.front().cloned()),
            4 => wire.rotate_left(1.min(wire.len())),
            5 => self.damage(side, input),
            6 => self.inject(side, bytes(input)),
            _ if self.expiries < MOST_EXPIRIES => self.expire(side),
            _ => {}
        }
        self.collect();
    }

    fn deliver_next(&mut self, side: Side) {
        if let Some(datagram) = self.wires[side as usize].pop_front() {
            self.deliver(side, &datagram);
        }
    }

    fn damage(&mut self, side: Side, input: &mut Unstructured<'_>) {
        self.is_damaged = true;
        if let Some(first) = self.wires[side as usize].front_mut() {
            mutate(input, first);
        }
    }

    fn inject(&mut self, side: Side, datagram: &[u8]) {
        self.is_damaged = true;
        self.deliver(side, datagram);
    }

    fn deliver(&mut self, side: Side, datagram: &[u8]) {
        if self.errors[side as usize].is_some() {
            return;
        }
        let end = self.pair.end(side);
        let state = end.state();
        let status = match state {
            COMPLETE => end.read_all(datagram).map_or_else(
                |status| status,
                |plaintext| {
                    assert!(plaintext.is_empty(), "nobody has sent a message");
                    Status::Ok
                },
            ),
            NOT_STARTED => match self.pair.verify(datagram) {
                Ok(true) => end.start(datagram),
                Ok(false) => Status::Ok,
                Err(status) => status,
            },
            _ => end.proceed(datagram),
        };
        assert_ne!(status, Status::CookieRejected, "the listener has accepted it");
        let has_ended = state != NOT_STARTED && end.state() == NOT_STARTED;
        // A datagram that ends a connection is read without an error.
        self.note(side, if has_ended && status == Status::Ok { Status::Closed } else { status });
    }

    fn expire(&mut self, side: Side) {
        let end = self.pair.end(side);
        if let Some(microseconds) = end.timeout() {
            self.expiries += 1;
            repeatable::pass(microseconds);
            let status = end.handle_timeout();
            self.note(side, status);
        }
    }

    fn note(&mut self, side: Side, status: Status) {
        assert_ne!(status, Status::Internal);
        if status != Status::Ok {
            self.errors[side as usize].get_or_insert(status);
        }
    }

    /// Delivers everything that is sent from now on, until both ends are quiet.
    fn work(&mut self) {
        for _ in 0..1000 {
            self.collect();
            match SIDES.into_iter().find(|side| !self.wires[*side as usize].is_empty()) {
                Some(side) => self.deliver_next(side),
                None if !self.expire_first() => return,
                None => {}
            }
        }
        panic!("they talk without an end");
    }

    /// Lets the timer expire that is due first, if one runs.
    fn expire_first(&mut self) -> bool {
        let is_open = |side: &Side| self.errors[*side as usize].is_none();
        let timers =
            SIDES.into_iter().filter(is_open).filter_map(|side| Some((self.pair.end(side).timeout()?, side)));
        let Some((_, side)) = timers.min_by_key(|(microseconds, _)| *microseconds) else { return false };
        self.expire(side);
        true
    }

    fn check(&self) {
        let states = SIDES.map(|side| self.pair.end(side).state());
        let [client, server] = self.errors;
        if !self.is_damaged {
            assert_eq!((client, server, states), (None, None, [COMPLETE; 2]));
        }
        assert!(states[0] == COMPLETE || client.is_some(), "the client hangs");
        if states == [COMPLETE; 2] && self.errors == [None; 2] {
            self.check_messages();
        }
    }

    fn check_messages(&self) {
        for side in SIDES {
            let (sender, receiver) = (self.pair.end(side), self.pair.end(side.other()));
            // A Finished that came early can have been answered again.
            self.pair.drop_sent();
            assert_eq!(sender.write(b"a message"), Status::Ok);
            let datagram = sender.take().expect("a datagram");
            assert_eq!(receiver.read(&datagram).as_deref(), Ok(b"a message".as_slice()));
        }
    }
}
