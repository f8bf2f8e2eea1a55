// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datagrams that go out with few system calls.

#[cfg(target_os = "linux")]
use super::linux::Sender;
#[cfg(not(target_os = "linux"))]
use super::portable::Sender;
use super::reports::past_reports;
use super::run::{RUNS, Run};
use super::socket::{Route, Udp};
use std::io;

/// See the module documentation.
pub struct Outbox {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    sender: Sender,
}

/// How many bytes an [`Outbox`] holds.
const BYTES: usize = 1 << 17;

impl Outbox {
    /// An empty one; `None` without memory.
    pub fn new() -> Option<Self> {
        let (mut bytes, mut runs) = (Vec::new(), Vec::new());
        bytes.try_reserve_exact(BYTES).ok()?;
        runs.try_reserve_exact(RUNS).ok()?;
        Some(Self { bytes, runs, sender: Sender::new()? })
    }

    /// Puts a datagram behind the others; false if there is no room.
    #[inline]
    pub fn push(&mut self, socket: &Udp, to: &Route, datagram: &[u8]) -> bool {
        let length = datagram.len();
        if self.bytes.len() + length > BYTES {
            return false;
        }
        let joined = socket.cuts.get() && self.runs.last_mut().is_some_and(|last| last.join(to, length));
        if !joined && !self.begin_run(to, length) {
            return false;
        }
        self.bytes.extend_from_slice(datagram);
        true
    }

    /// Puts a datagram behind the others that cannot go out with the last one; false if there is no room.
    fn begin_run(&mut self, to: &Route, length: usize) -> bool {
        let has_room = self.runs.len() < RUNS;
        if has_room {
            self.runs.push(Run::new(*to, length));
        }
        has_room
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Sends what the socket takes now; the rest stays. What cannot be sent at all is lost.
    #[inline]
    pub fn flush(&mut self, socket: &Udp) {
        if !self.is_empty() {
            self.send_waiting(socket);
        }
    }

    fn send_waiting(&mut self, socket: &Udp) {
        let (mut sent, mut sent_bytes) = (0, 0);
        while let Some([first, ..]) = self.runs.get_mut(sent..) {
            let is_alone = first.number > 1 && !socket.cuts.get();
            let alone = [first.first()];
            let runs = if is_alone { alone.as_slice() } else { self.runs.get(sent..).unwrap_or_default() };
            let bytes = self.bytes.get(sent_bytes..).unwrap_or_default();
            let step = match past_reports(|| self.sender.send(socket, runs, bytes)) {
                Ok(number) => number,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // From now on they are sent one by one.
                Err(_) if runs.iter().take(1).any(|first| first.number > 1) => {
                    socket.cuts.set(false);
                    continue;
                }
                // The first one cannot be sent, and counts as lost.
                Err(_) => 1,
            };
            sent_bytes += runs.iter().take(step).map(|run| run.length).sum::<usize>();
            match self.runs.get_mut(sent) {
                Some(first) if is_alone => first.shorten(),
                _ => sent += step,
            }
        }
        if sent >= self.runs.len() {
            self.runs.clear();
            return self.bytes.clear();
        }
        self.runs.drain(..sent);
        self.bytes.drain(..sent_bytes.min(self.bytes.len()));
    }

    /// Sends one datagram at once.
    pub fn send_now(&mut self, socket: &Udp, to: &Route, datagram: &[u8]) -> io::Result<()> {
        past_reports(|| match to.own {
            None => socket.send(to.peer, datagram),
            Some(_) => self.sender.send(socket, &[Run::new(*to, datagram.len())], datagram).map(drop),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::udp::socket::tests::of;
    use crate::peer::PeerAddress;
    use std::net::UdpSocket;

    #[test]
    fn the_outbox_is_bounded() {
        let own = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let socket = of(&own);
        let peer = |port| PeerAddress::new([127, 0, 0, 1].into(), port, 0).expect("valid");
        let to = |port| Route { peer: peer(port), own: None };
        let mut outbox = Outbox::new().expect("memory");
        assert_eq!((1..1000).filter(|port| outbox.push(&socket, &to(*port), &[0; 10])).count(), RUNS);
        let mut outbox = Outbox::new().expect("memory");
        assert_eq!((0..1000).filter(|_| outbox.push(&socket, &to(9), &[0; 60_000])).count(), 2);
    }
}
