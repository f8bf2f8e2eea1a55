// SPDX-License-Identifier: MIT OR Apache-2.0
//! A relay between a client and a server that loses datagrams. The server sees all that comes from one client at one
//! port, also when the client restarts.

use anyhow::Result;
use fastrand::Rng;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Direction {
    ToServer,
    ToClient,
}

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    Nothing,
    /// One datagram of the handshake, counted from 1.
    One(Direction, u32),
    /// Each datagram with this probability, the same ones for a seed.
    Percent(u8, u64),
}

pub struct Relay {
    /// Where the client sends to.
    pub port: u16,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
}

struct State {
    for_client: UdpSocket,
    for_server: UdpSocket,
    server: SocketAddr,
    client: Mutex<Option<SocketAddr>>,
    began: OnceLock<Instant>,
    lost: AtomicU32,
    is_over: AtomicBool,
}

/// How long a thread may take to notice the end.
const PATIENCE: Duration = Duration::from_millis(50);

impl Relay {
    pub fn start(server_port: u16, loss: Loss) -> Result<Self> {
        let bind = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_read_timeout(Some(PATIENCE)).map(|()| socket)
        };
        let state = Arc::new(State {
            for_client: bind()?,
            for_server: bind()?,
            server: (Ipv4Addr::LOCALHOST, server_port).into(),
            client: Mutex::new(None),
            began: OnceLock::new(),
            lost: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        });
        let run = |direction| {
            let state = Arc::clone(&state);
            thread::spawn(move || state.carry(direction, loss))
        };
        let threads = [Direction::ToServer, Direction::ToClient].map(run).into();
        Ok(Self { port: state.for_client.local_addr()?.port(), state, threads })
    }

    /// When the first datagram came.
    pub fn began(&self) -> Option<Instant> {
        self.state.began.get().copied()
    }

    /// How many datagrams were lost so far.
    pub fn lost(&self) -> u32 {
        self.state.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl State {
    fn carry(&self, direction: Direction, loss: Loss) {
        let mut chance = Chance::new(direction, loss);
        let mut buffer = [0; 1 << 16];
        while !self.is_over.load(Ordering::Relaxed) {
            // Neither a timeout nor a refusal by a peer that is gone is of interest.
            let Ok((size, sender)) = self.source(direction).recv_from(&mut buffer) else { continue };
            let datagram = &buffer[..size];
            self.began.get_or_init(Instant::now);
            if direction == Direction::ToServer {
                *self.client.lock().expect("no thread panics") = Some(sender);
            }
            if chance.is_lost(datagram) {
                self.lost.fetch_add(1, Ordering::Relaxed);
            } else {
                let _ = self.forward(direction, datagram);
            }
        }
    }

    fn source(&self, direction: Direction) -> &UdpSocket {
        match direction {
            Direction::ToServer => &self.for_client,
            Direction::ToClient => &self.for_server,
        }
    }

    fn forward(&self, direction: Direction, datagram: &[u8]) -> std::io::Result<usize> {
        match direction {
            Direction::ToServer => self.for_server.send_to(datagram, self.server),
            Direction::ToClient => {
                let client = *self.client.lock().expect("no thread panics");
                client.map_or(Ok(0), |client| self.for_client.send_to(datagram, client))
            }
        }
    }
}

/// Decides for one direction.
struct Chance {
    loss: Loss,
    direction: Direction,
    random: Rng,
    handshake_datagrams: u32,
}

impl Chance {
    fn new(direction: Direction, loss: Loss) -> Self {
        let seed = if let Loss::Percent(_, seed) = loss { seed * 2 + direction as u64 } else { 0 };
        Self { loss, direction, random: Rng::with_seed(seed), handshake_datagrams: 0 }
    }

    fn is_lost(&mut self, datagram: &[u8]) -> bool {
        // ChangeCipherSpec and handshake records (RFC 6347, 4.1).
        let is_handshake = matches!(datagram.first(), Some(20 | 22));
        self.handshake_datagrams += u32::from(is_handshake);
        match self.loss {
            Loss::Nothing => false,
            Loss::One(direction, number) => {
                is_handshake && direction == self.direction && number == self.handshake_datagrams
            }
            Loss::Percent(percent, _) => self.random.u8(..100) < percent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDSHAKE: &[u8] = &[22];
    const DATA: &[u8] = &[23];

    #[test]
    fn one_datagram_of_the_handshake_is_lost_in_one_direction() {
        let lost = |direction| {
            let mut chance = Chance::new(direction, Loss::One(Direction::ToClient, 2));
            [DATA, HANDSHAKE, DATA, HANDSHAKE, HANDSHAKE].map(|datagram| chance.is_lost(datagram))
        };
        assert_eq!(lost(Direction::ToClient), [false, false, false, true, false]);
        assert_eq!(lost(Direction::ToServer), [false; 5]);
    }

    #[test]
    fn a_share_is_lost_and_a_seed_repeats_it() {
        let lost = |seed| {
            let mut chance = Chance::new(Direction::ToServer, Loss::Percent(10, seed));
            (0..1000).map(|_| chance.is_lost(DATA)).collect::<Vec<_>>()
        };
        let count = lost(1).into_iter().filter(|is_lost| *is_lost).count();
        assert!((60..140).contains(&count), "{count}");
        assert_eq!(lost(1), lost(1));
        assert_ne!(lost(1), lost(2));
    }

    #[test]
    fn datagrams_go_both_ways_but_for_the_lost_one() {
        let socket = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (client, server) = (socket(), socket());
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let relay =
            Relay::start(server.local_addr().unwrap().port(), Loss::One(Direction::ToServer, 1)).unwrap();
        for text in [b"\x16lost", b"\x16kept"] {
            client.send_to(text, ("127.0.0.1", relay.port)).unwrap();
        }
        let mut buffer = [0; 10];
        let (size, relay_address) = server.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..size], relay.lost()), (&b"\x16kept"[..], 1));
        server.send_to(b"\x16back", relay_address).unwrap();
        assert_eq!(client.recv(&mut buffer).unwrap(), 5);
    }
}
