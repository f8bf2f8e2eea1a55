// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending for all connections of an endpoint.

#![forbid(unsafe_code)]

use super::program::Program;
use crate::host::{Host, Psk, PskRequest, SendResult, ServerName};
use crate::memory::Rc;
use crate::os::udp::{Outbox, Route, Udp, send_now};
use crate::peer::PeerAddress;
use crate::send_error;
use crate::unix_time::UnixTime;
use std::cell::{Cell, RefCell};
use std::net::IpAddr;

/// The socket, and the program.
pub struct Transport<P> {
    socket: Udp,
    pub program: P,
    outbox: RefCell<Outbox>,
    collects: Cell<bool>,
    /// The peers of connections that have ended, some of which the program has ended.
    left: RefCell<Vec<PeerAddress>>,
}

impl<P> Transport<P> {
    pub fn new(socket: Udp, outbox: Outbox, program: P) -> Self {
        Self {
            socket,
            program,
            outbox: RefCell::new(outbox),
            collects: Cell::new(false),
            left: RefCell::default(),
        }
    }

    pub fn socket(&self) -> &Udp {
        &self.socket
    }

    /// Whether datagrams wait for each other, to be sent together. What has waited is sent.
    pub fn collect(&self, collects: bool) {
        self.collects.set(collects);
        self.flush();
    }

    /// Sends what waits.
    pub fn flush(&self) {
        self.outbox.borrow_mut().flush(&self.socket);
    }

    /// Whether the socket did not take all.
    pub fn is_blocked(&self) -> bool {
        !self.outbox.borrow().is_empty()
    }

    /// The peer of a connection that has ended since.
    pub fn next_left(&self) -> Option<PeerAddress> {
        self.left.borrow_mut().pop()
    }

    /// Whether a connection has ended since.
    pub fn has_left(&self) -> bool {
        !self.left.borrow().is_empty()
    }

    /// Without memory its peer's next datagram reminds the endpoint.
    fn note_left(&self, peer: PeerAddress) {
        let mut left = self.left.borrow_mut();
        if left.try_reserve(1).is_ok() {
            left.push(peer);
        }
    }

    fn send(&self, to: Route, datagram: &[u8]) -> SendResult {
        let mut outbox = self.outbox.borrow_mut();
        if self.collects.get() || !outbox.is_empty() {
            if outbox.push(to, datagram) {
                return SendResult::Sent;
            }
            outbox.flush(&self.socket);
            return if outbox.push(to, datagram) { SendResult::Sent } else { SendResult::Lost };
        }
        match send_now(&self.socket, to, datagram) {
            Ok(()) => SendResult::Sent,
            Err(error) => error.raw_os_error().map_or(SendResult::Failed, send_error::result_of),
        }
    }
}

/// The program as the [`Host`] of one connection.
pub struct PeerHost<P: Program> {
    pub transport: Rc<Transport<P>>,
    pub address: PeerAddress,
    /// The own address that the peer has sent to, from which it expects the answers.
    pub own: Option<IpAddr>,
}

impl<P: Program> Host for PeerHost<P> {
    fn send(&self, datagram: &[u8]) -> SendResult {
        self.transport.send(Route { peer: self.address.to_socket(), own: self.own }, datagram)
    }

    fn psk(&self, request: &PskRequest<'_>) -> Option<Psk> {
        self.transport.program.psk(request)
    }

    fn select_context(&self, name: &[u8]) -> ServerName {
        self.transport.program.select_context(name)
    }

    fn now(&self) -> UnixTime {
        UnixTime::now()
    }

    fn left(&self) {
        self.transport.note_left(self.address);
    }
}
