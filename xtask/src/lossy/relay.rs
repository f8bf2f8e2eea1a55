// SPDX-License-Identifier: MIT OR Apache-2.0
//! A relay of UDP datagrams between clients and a server on this machine, a link for each client.
//!
//! A link has two sockets. The client sends to the front, and the server gets its datagrams from the back. The server
//! tells its port by a datagram to a socket of its own.

use super::conditions::{Conditions, Way};
use anyhow::{Context, Result, anyhow};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the relay looks whether it is to stop.
const PATIENCE: Duration = Duration::from_millis(50);
const LARGEST_DATAGRAM: usize = 65_535;

/// What was sent on a link, before the link did anything to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    pub datagrams: usize,
    /// The most in one direction without one in the other between them.
    pub longest_flight: usize,
}

pub struct Relay {
    /// Where the server tells its port.
    pub control: u16,
    /// Front and back of each link.
    pub ports: Vec<(u16, u16)>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Traffic>>>,
}

impl Relay {
    /// Starts a link for each seed.
    pub fn start(conditions: Conditions, seeds: &[u64]) -> Result<Self> {
        let control = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let links: Vec<_> = seeds.iter().map(|seed| Link::new(conditions, *seed)).collect::<Result<_>>()?;
        let port = |socket: &UdpSocket| anyhow::Ok(socket.local_addr()?.port());
        let ports = links.iter().map(|link| Ok((port(&link.sockets[FRONT])?, port(&link.sockets[BACK])?)));
        let ports = ports.collect::<Result<_>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let (control_port, stopped) = (control.local_addr()?.port(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let Some(server) = server(&control, &stopped)? else { return Ok(Vec::new()) };
            Carrier::new(links, server)?.run(&stopped)
        });
        Ok(Self { control: control_port, ports, stop, thread })
    }

    /// Ends the relay. Returns the traffic of each link.
    pub fn stop(self) -> Result<Vec<Traffic>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the relay panicked"))?
    }
}

/// Waits for the server's address.
fn server(control: &std::net::UdpSocket, stop: &AtomicBool) -> Result<Option<SocketAddr>> {
    control.set_read_timeout(Some(PATIENCE))?;
    while !stop.load(Ordering::Relaxed) {
        match control.recv_from(&mut [0; 64]) {
            Ok((_, server)) => return Ok(Some(server)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

const FRONT: usize = 0;
const BACK: usize = 1;

struct Link {
    /// Front and back, and who is behind each: the client once it has sent, and the server.
    sockets: [UdpSocket; 2],
    peers: [Option<SocketAddr>; 2],
    /// For what comes in at each.
    ways: [Way; 2],
    traffic: Traffic,
    /// Where the last datagram came in, and how many did in a row.
    flight: (usize, usize),
}

impl Link {
    fn new(conditions: Conditions, seed: u64) -> Result<Self> {
        let socket = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into());
        let ways = [2 * seed, 2 * seed + 1].map(|seed| Way::new(conditions, seed));
        let (traffic, flight) = (Traffic::default(), (FRONT, 0));
        Ok(Self { sockets: [socket()?, socket()?], peers: [None; 2], ways, traffic, flight })
    }

    fn count(&mut self, side: usize) {
        let (last, length) = self.flight;
        self.flight = (side, if last == side { length + 1 } else { 1 });
        self.traffic.datagrams += 1;
        self.traffic.longest_flight = self.traffic.longest_flight.max(self.flight.1);
    }
}

/// A datagram that leaves at a time from a side of a link. Those of the same time leave in the order they came.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Delayed {
    at: Instant,
    number: usize,
    link: usize,
    side: usize,
    datagram: Vec<u8>,
}

/// Runs on a thread of its own.
struct Carrier {
    links: Vec<Link>,
    poll: Poll,
    underway: BinaryHeap<Reverse<Delayed>>,
    carried: usize,
}

impl Carrier {
    fn new(mut links: Vec<Link>, server: SocketAddr) -> Result<Self> {
        let poll = Poll::new()?;
        for (number, link) in links.iter_mut().enumerate() {
            link.peers[BACK] = Some(server);
            for (side, socket) in link.sockets.iter_mut().enumerate() {
                poll.registry().register(socket, Token(2 * number + side), Interest::READABLE)?;
            }
        }
        Ok(Self { links, poll, underway: BinaryHeap::new(), carried: 0 })
    }

    fn run(mut self, stop: &AtomicBool) -> Result<Vec<Traffic>> {
        let mut events = Events::with_capacity(1024);
        while !stop.load(Ordering::Relaxed) {
            let next = self.underway.peek().map(|Reverse(first)| first.at);
            let wait = next.map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now()));
            match self.poll.poll(&mut events, Some(wait.min(PATIENCE))) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result.context("the relay cannot wait")?,
            }
            for event in &events {
                let Token(token) = event.token();
                self.receive(token / 2, token % 2)?;
            }
            self.send_due()?;
        }
        Ok(self.links.into_iter().map(|link| link.traffic).collect())
    }

    /// Takes all that has come to a socket.
    fn receive(&mut self, number: usize, side: usize) -> Result<()> {
        let link = &mut self.links[number];
        let mut buffer = [0; LARGEST_DATAGRAM];
        loop {
            let (length, from) = match link.sockets[side].recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("the relay cannot receive"),
            };
            link.count(side);
            link.peers[side] = Some(from);
            for delay in link.ways[side].next(length) {
                self.carried += 1;
                self.underway.push(Reverse(Delayed {
                    at: Instant::now() + delay,
                    number: self.carried,
                    link: number,
                    side: 1 - side,
                    datagram: buffer[..length].to_vec(),
                }));
            }
        }
    }

    fn send_due(&mut self) -> Result<()> {
        let now = Instant::now();
        while self.underway.peek().is_some_and(|Reverse(first)| first.at <= now) {
            let Some(Reverse(Delayed { link, side, datagram, .. })) = self.underway.pop() else { break };
            let link = &self.links[link];
            let Some(peer) = link.peers[side] else { continue };
            link.sockets[side].send_to(&datagram, peer).context("the relay cannot send")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    fn socket() -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket
    }

    /// The text that comes next, and the port it comes from.
    fn receive(socket: &UdpSocket) -> (String, u16) {
        let mut buffer = [0; 64];
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        (String::from_utf8_lossy(&buffer[..length]).into_owned(), from.port())
    }

    #[test]
    fn datagrams_go_both_ways_and_are_counted() {
        let delay = Duration::from_millis(20);
        let conditions = Conditions { delay, hole: Some(8), ..Conditions::default() };
        let relay = Relay::start(conditions, &[1, 2]).unwrap();
        let (client, server) = (socket(), socket());
        let (front, back) = relay.ports[1];
        let start = Instant::now();
        client.send_to(b"too long a text", (Ipv4Addr::LOCALHOST, front)).unwrap();
        client.send_to(b"question", (Ipv4Addr::LOCALHOST, front)).unwrap();
        server.send_to(b"here", (Ipv4Addr::LOCALHOST, relay.control)).unwrap();
        assert_eq!(receive(&server), ("question".into(), back));
        server.send_to(b"answer", (Ipv4Addr::LOCALHOST, back)).unwrap();
        assert_eq!(receive(&client), ("answer".into(), front));
        assert!(start.elapsed() >= 2 * delay);
        let traffic = Traffic { datagrams: 3, longest_flight: 2 };
        assert_eq!(relay.stop().unwrap(), [Traffic::default(), traffic]);
    }

    #[test]
    fn a_relay_without_a_server_stops() {
        assert_eq!(Relay::start(Conditions::default(), &[1]).unwrap().stop().unwrap(), []);
    }
}
