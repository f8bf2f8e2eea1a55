// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending for all connections of an endpoint.

#![forbid(unsafe_code)]

use super::program::Program;
use crate::host::{Host, Psk, PskRequest, SendResult, ServerName};
use crate::memory::Rc;
use crate::os::udp::{Outbox, Udp};
use crate::peer::PeerAddress;
use crate::send_error;
use crate::unix_time::UnixTime;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

/// The socket, and the program.
pub struct Transport<P> {
    socket: Udp,
    pub program: P,
    outbox: RefCell<Outbox>,
    collects: Cell<bool>,
}

impl<P> Transport<P> {
    pub fn new(socket: Udp, outbox: Outbox, program: P) -> Self {
        Self { socket, program, outbox: RefCell::new(outbox), collects: Cell::new(false) }
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

    fn send(&self, to: SocketAddr, datagram: &[u8]) -> SendResult {
        let mut outbox = self.outbox.borrow_mut();
        if self.collects.get() || !outbox.is_empty() {
            if outbox.push(to, datagram) {
                return SendResult::Sent;
            }
            outbox.flush(&self.socket);
            return if outbox.push(to, datagram) { SendResult::Sent } else { SendResult::Lost };
        }
        match self.socket.send(to, datagram) {
            Ok(()) => SendResult::Sent,
            Err(error) => error.raw_os_error().map_or(SendResult::Failed, send_error::result_of),
        }
    }
}

/// The program as the [`Host`] of one connection.
pub struct PeerHost<P: Program> {
    pub transport: Rc<Transport<P>>,
    pub address: PeerAddress,
}

impl<P: Program> Host for PeerHost<P> {
    fn send(&self, datagram: &[u8]) -> SendResult {
        self.transport.send(self.address.to_socket(), datagram)
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
}
