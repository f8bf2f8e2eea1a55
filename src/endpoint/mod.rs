// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many connections on one UDP socket: a server's, which begin with the cookie exchange, and a client's.
//!
//! An endpoint reads the socket, finds the connection of each datagram by its peer's address, and keeps the connections'
//! timers. The program waits for the socket or for one deadline, and calls [`Endpoint::process`].
//!
//! Whatever the program does inside its callbacks, nothing is borrowed meanwhile: it may write to any connection, close
//! it, or release the endpoint.

#![forbid(unsafe_code)]

mod address_hash;
mod deadlines;
mod decrypted;
mod handshakes;
mod intake;
mod limits;
mod messages;
mod peers;
mod program;
mod transport;

pub use limits::Limit;
pub use program::{Peer, Program};

use crate::connection::{Connection, State};
use crate::cookie::CookieKey;
use crate::error::{Error, Result, Status};
use crate::host::SendResult;
use crate::memory::Rc;
use crate::openssl::context::Context;
use crate::os::udp::{Outbox, Udp};
use crate::peer::PeerAddress;
use crate::send_error;
use crate::statistics::Cookies;
use decrypted::Decrypted;
use intake::Intake;
use limits::Limits;
use peers::Peers;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use transport::Transport;

/// See the module documentation.
pub struct Endpoint<P: Program> {
    transport: Rc<Transport<P>>,
    clients: RefCell<Option<Listening>>,
    peers: Peers<P::Peer>,
    limits: Limits,
    cookies: Cookies,
    /// Taken while datagrams are processed.
    intake: Cell<Option<Intake<P::Peer>>>,
    decrypted: RefCell<Decrypted<P::Peer>>,
    /// The own address that the datagram at hand was sent to, if the socket has several.
    arrived_at: Cell<Option<IpAddr>>,
    is_released: Cell<bool>,
}

/// What a server needs for clients that it does not know yet.
struct Listening {
    context: Context,
    key: CookieKey,
}

/// How many times a call reads the socket before it returns to the program.
const MOST_READS: usize = 16;

impl<P: Program> Endpoint<P> {
    /// An endpoint that knows no peers. Calls `program` when nothing can fail any more.
    pub fn new(socket: Udp, program: impl FnOnce() -> P) -> Result<Self> {
        let no_memory = || Error::no_memory("endpoint");
        let intake = Intake::new().ok_or_else(no_memory)?;
        let decrypted = Decrypted::new().ok_or_else(no_memory)?;
        let (place, outbox) = (Rc::place().ok_or_else(no_memory)?, Outbox::new().ok_or_else(no_memory)?);
        Ok(Self {
            transport: place.fill(Transport::new(socket, outbox, program())),
            clients: RefCell::new(None),
            peers: Peers::default(),
            limits: Limits::default(),
            cookies: Cookies::default(),
            intake: Cell::new(Some(intake)),
            decrypted: RefCell::new(decrypted),
            arrived_at: Cell::new(None),
            is_released: Cell::new(false),
        })
    }

    /// Sets how many peers it takes, or for how long. Peers that are connected may be quiet for that long from now.
    pub fn set_limit(&self, limit: Limit, value: u64) -> Result<()> {
        self.limits.set(limit, value)?;
        if limit == Limit::QuietS {
            self.peers.restart_quiet(Instant::now(), self.limits.quiet());
        }
        Ok(())
    }

    /// What was done with the cookies.
    pub fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// Answers clients from now on, with cookies of this key.
    pub fn listen(&self, context: Context, key: CookieKey) {
        self.clients.replace(Some(Listening { context, key }));
    }

    /// Does all that is due: reads what waits on the socket, retransmits, ends connections that were quiet for too long,
    /// and sends. Returns whether it has stopped before the socket was empty. Errors: `Busy` inside itself;
    /// `ConnectionFailed` if the socket cannot be read.
    pub fn process(&self) -> Result<bool> {
        let Some(mut intake) = self.intake.take() else {
            return Err(Error::new(Status::Busy, "process"));
        };
        self.transport.collect(true);
        self.forget_ended();
        let outcome = self.read_socket(&mut intake);
        intake.let_go();
        self.intake.set(Some(intake));
        if self.peers.has_deadlines() {
            self.handle_deadlines();
        }
        self.forget_ended();
        self.transport.collect(false);
        outcome
    }

    fn read_socket(&self, intake: &mut Intake<P::Peer>) -> Result<bool> {
        for _ in 0..MOST_READS {
            let is_more = match intake.receive(self.transport.socket()) {
                Ok(is_more) => is_more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => {
                    require_passing(&error)?;
                    continue;
                }
            };
            while intake.look_ahead(&self.peers) {
                self.handle(intake);
                if self.is_released.get() {
                    return Ok(false);
                }
            }
            self.hand_out(&[]);
            self.transport.flush();
            if !is_more {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Handles the messages that were looked at.
    fn handle(&self, intake: &Intake<P::Peer>) {
        for next in intake.next() {
            let Some((own, datagrams)) = intake.datagrams(next) else { continue };
            self.arrived_at.set(own);
            for datagram in datagrams {
                match intake.peer(next, &self.peers) {
                    Some(peer) => self.deliver(next.from, peer, datagram),
                    None => self.receive(next.from, datagram),
                }
                self.forget_ended();
                if self.is_released.get() {
                    return;
                }
            }
        }
    }

    /// Forgets the connections that the program has ended.
    #[inline]
    fn forget_ended(&self) {
        if self.transport.has_left() {
            self.forget_all_ended();
        }
    }

    #[cold]
    fn forget_all_ended(&self) {
        while let Some(address) = self.transport.next_left() {
            let peer = self.peers.find(address);
            if peer.is_some_and(|peer| peer.connection().state() == State::NotStarted) {
                self.peers.remove(address);
            }
        }
    }

    /// Handles a datagram whose connection has to be looked for.
    fn receive(&self, from: PeerAddress, datagram: &[u8]) {
        match self.peers.find(from) {
            Some(peer) => self.deliver(from, &peer, datagram),
            None => self.greet(from, datagram),
        }
    }

    /// The time until [`Endpoint::process`] is due although no datagram has come; `None` if it is not.
    pub fn time_left(&self) -> Option<Duration> {
        if self.transport.has_left() {
            return Some(Duration::ZERO);
        }
        let next = self.peers.next_deadline().map(|next| next.saturating_duration_since(Instant::now()));
        match self.transport.is_blocked() {
            true => Some(next.map_or(RETRY, |next| next.min(RETRY))),
            false => next,
        }
    }

    /// The number of connections, and how many of them are in a handshake.
    pub fn count(&self) -> (usize, usize) {
        self.peers.count()
    }

    /// Ends a connection, with a close_notify if it is complete, and forgets it without a call of `ended`. Fails with
    /// `InvalidArgument` if it is none of this endpoint's.
    pub fn close(&self, peer: &P::Peer) -> Result<()> {
        let address = peer.connection().settings().peer();
        let known = address.and_then(|address| Some((address, self.peers.find(address)?)));
        match known {
            Some((address, own)) if std::ptr::eq(&raw const *own, peer) => {
                self.peers.remove(address);
                end(peer.connection());
                Ok(())
            }
            _ => Err(Error::because(Status::InvalidArgument, "close", "the endpoint has no such connection")),
        }
    }

    /// Closes all connections.
    pub fn release(&self) {
        self.is_released.set(true);
        self.clients.replace(None);
        self.transport.collect(true);
        while let Some(peer) = self.peers.pop() {
            end(peer.connection());
        }
        self.transport.collect(false);
    }
}

/// When a full socket is tried again.
const RETRY: Duration = Duration::from_millis(1);

/// Ends a connection in any state.
fn end(connection: &Connection) {
    // One of the two fits its state, or there is nothing to end.
    if connection.shutdown().is_err() && connection.abort().is_err() {
        connection.reset();
    }
}

/// A signal, a lack of memory, or what the network reports of an earlier datagram is no failure of the socket, and more may
/// wait behind it.
fn require_passing(error: &io::Error) -> Result<()> {
    match error.raw_os_error().map_or(SendResult::Failed, send_error::result_of) {
        SendResult::Failed => {
            Err(Error::because(Status::ConnectionFailed, "receive", format_args!("{error}")))
        }
        _ => Ok(()),
    }
}
