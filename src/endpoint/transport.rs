// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending for all connections of an endpoint.

#![forbid(unsafe_code)]

use super::program::Program;
use crate::host::{Host, Psk, PskRequest, SendResult, ServerName};
use crate::memory::Rc;
use crate::os::udp::{Outbox, Route, Udp};
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
    #[inline]
    pub fn collect(&self, collects: bool) {
        self.collects.set(collects);
        self.flush();
    }

    /// Sends what waits.
    #[inline]
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
    #[inline]
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

    #[inline]
    fn send(&self, to: &Route, datagram: &[u8]) -> SendResult {
        let mut outbox = self.outbox.borrow_mut();
        if !self.collects.get() && outbox.is_empty() {
            return self.send_now(&mut outbox, to, datagram);
        }
        if outbox.push(&self.socket, to, datagram) {
            SendResult::Sent
        } else {
            self.make_room(&mut outbox, to, datagram)
        }
    }

    #[cold]
    fn make_room(&self, outbox: &mut Outbox, to: &Route, datagram: &[u8]) -> SendResult {
        outbox.flush(&self.socket);
        let is_there = outbox.push(&self.socket, to, datagram);
        if is_there { SendResult::Sent } else { SendResult::Lost }
    }

    fn send_now(&self, outbox: &mut Outbox, to: &Route, datagram: &[u8]) -> SendResult {
        match outbox.send_now(&self.socket, to, datagram) {
            Ok(()) => SendResult::Sent,
            Err(error) => error.raw_os_error().map_or(SendResult::Failed, send_error::result_of),
        }
    }
}

/// The program as the [`Host`] of one connection.
pub struct PeerHost<P: Program> {
    transport: Rc<Transport<P>>,
    /// The way to the peer, which expects answers from the own address that it has sent to.
    route: Route,
}

impl<P: Program> PeerHost<P> {
    pub fn new(transport: Rc<Transport<P>>, address: PeerAddress, own: Option<IpAddr>) -> Self {
        Self { transport, route: Route { peer: address, own } }
    }
}

impl<P: Program> Host for PeerHost<P> {
    fn send(&self, datagram: &[u8]) -> SendResult {
        self.transport.send(&self.route, datagram)
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
        self.transport.note_left(self.route.peer);
    }
}
