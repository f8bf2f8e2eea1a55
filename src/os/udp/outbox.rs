// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datagrams that go out with few system calls.

#[cfg(target_os = "linux")]
use super::linux::send;
#[cfg(not(target_os = "linux"))]
use super::portable::send;
use super::socket::{Outgoing, Route, Udp};
use std::io;

/// See the module documentation.
pub struct Outbox {
    bytes: Vec<u8>,
    queue: Vec<Outgoing>,
}

/// How much an [`Outbox`] holds.
const DATAGRAMS: usize = 64;
const BYTES: usize = 1 << 17;

impl Outbox {
    /// An empty one; `None` without memory.
    pub fn new() -> Option<Self> {
        let (mut bytes, mut queue) = (Vec::new(), Vec::new());
        bytes.try_reserve_exact(BYTES).ok()?;
        queue.try_reserve_exact(DATAGRAMS).ok()?;
        Some(Self { bytes, queue })
    }

    /// Puts a datagram behind the others; false if there is no room.
    pub fn push(&mut self, to: Route, datagram: &[u8]) -> bool {
        let fits = self.bytes.len() + datagram.len() <= BYTES && self.queue.len() < DATAGRAMS;
        if fits {
            self.bytes.extend_from_slice(datagram);
            self.queue.push(Outgoing { to, length: datagram.len() });
        }
        fits
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Sends what the socket takes now; the rest stays. What cannot be sent at all is lost.
    pub fn flush(&mut self, socket: &Udp) {
        let (mut sent, mut sent_bytes) = (0, 0);
        while let (Some(queue), Some(bytes)) = (self.queue.get(sent..), self.bytes.get(sent_bytes..)) {
            if queue.is_empty() {
                break;
            }
            let step = match send(socket, queue, bytes) {
                Ok(number) => number,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The first one cannot be sent, and counts as lost.
                Err(_) => 1,
            };
            sent_bytes += queue.iter().take(step).map(|one| one.length).sum::<usize>();
            sent += step;
        }
        self.queue.drain(..sent.min(self.queue.len()));
        self.bytes.drain(..sent_bytes.min(self.bytes.len()));
    }
}

/// Sends one datagram at once.
pub fn send_now(socket: &Udp, to: Route, datagram: &[u8]) -> io::Result<()> {
    match to.own {
        None => socket.send(to.peer, datagram),
        Some(_) => send(socket, &[Outgoing { to, length: datagram.len() }], datagram).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn the_outbox_is_bounded() {
        let to = Route { peer: SocketAddr::from(([127, 0, 0, 1], 9)), own: None };
        let mut outbox = Outbox::new().expect("memory");
        assert_eq!((0..1000).filter(|_| outbox.push(to, &[0; 10])).count(), DATAGRAMS);
        let mut outbox = Outbox::new().expect("memory");
        assert_eq!((0..1000).filter(|_| outbox.push(to, &[0; 60_000])).count(), 2);
    }
}
