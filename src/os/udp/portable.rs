// SPDX-License-Identifier: MIT OR Apache-2.0
//! One datagram in a system call.

use super::run::Run;
use super::socket::{LONGEST, Udp};
use crate::peer::PeerAddress;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The size of an [`Inbox`]'s memory.
pub const INBOX_SIZE: usize = LONGEST;

/// What comes in with one system call.
pub struct Inbox {
    storage: Vec<u8>,
    arrived: Option<(SocketAddr, usize)>,
}

impl Inbox {
    /// With memory of [`INBOX_SIZE`] bytes.
    pub fn new(storage: Vec<u8>) -> Option<Self> {
        Some(Self { storage, arrived: None })
    }

    /// Reads what waits, and returns whether more may.
    pub fn receive(&mut self, socket: &Udp) -> io::Result<bool> {
        self.arrived = None;
        let (length, from) = socket.socket.recv_from(&mut self.storage)?;
        self.arrived = Some((from, length));
        Ok(true)
    }

    /// How many messages were read.
    pub fn count(&self) -> usize {
        self.arrived.iter().count()
    }

    /// Who has sent a message; `None` if no peer can have the address.
    pub fn sender(&self, _message: usize) -> Option<PeerAddress> {
        PeerAddress::of_socket(self.arrived?.0).ok()
    }

    /// The datagrams of a message, and the own address that they came to: not known here.
    pub fn datagrams(&self, _message: usize) -> Option<(Option<IpAddr>, impl Iterator<Item = &[u8]>)> {
        Some((None, std::iter::once(self.storage.get(..self.arrived?.1)?)))
    }
}

/// Sends datagrams.
pub struct Sender;

impl Sender {
    /// One.
    pub fn new() -> Option<Self> {
        Some(Self)
    }

    /// Sends the first of the runs, and returns how many that were.
    pub fn send(&mut self, socket: &Udp, runs: &[Run], bytes: &[u8]) -> io::Result<usize> {
        let Some(first) = runs.first() else { return Ok(0) };
        socket.send(first.to.peer, bytes.get(..first.length).unwrap_or_default())?;
        Ok(1)
    }
}
