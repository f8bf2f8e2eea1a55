// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handshake state machine of one peer. Qt's `QDtls`.
//!
//! A connection outlives its sessions: each handshake gets a fresh one, so nothing of the last is left. Ending a
//! connection only lets go of its session; an operation under way holds it until OpenSSL has returned.

use crate::alpn;
use crate::cookie::CookieKey;
use crate::error::{Error, Result, Status};
use crate::hello::ClientHello;
use crate::listener;
use crate::openssl::ssl::{PlaintextBuffer, Setup, Ssl};
use crate::peer::PeerAddress;
use crate::record::Role;
use crate::session::{InUse, Progress, Session};
use crate::sink::Sink;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::rc::Rc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Where the handshake stands, numbered as Qt's `QDtls::HandshakeState`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing has begun, or it has ended.
    NotStarted = 0,
    /// Waiting for the peer, or for the verdict on it.
    InProgress = 1,
    /// The handshake is done, and the peer was not accepted.
    PeerVerificationFailed = 2,
    /// Messages can be exchanged.
    Complete = 3,
}

/// What a handshake needs next.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The peer's next datagram, or the timer.
    Datagram = 0,
    /// The caller's verdict on the peer.
    Verdict = 1,
}

/// RFC 5246, 6.2.1: the longest plaintext of a record.
const MAX_MESSAGE: usize = 1 << 14;
/// RFC 791 asks every host to take in datagrams of 576 bytes.
const DEFAULT_LINK_MTU: u16 = 576;
/// OpenSSL's smallest link MTU (d1_lib.c).
const MIN_LINK_MTU: u16 = 256;

/// See the module's documentation.
pub struct Connection {
    role: Role,
    sink: Rc<dyn Sink>,
    state: Cell<State>,
    /// The handshake is done and the caller has not judged the peer yet.
    unjudged: Cell<bool>,
    peer: Cell<Option<PeerAddress>>,
    mtu_hint: Cell<u16>,
    server_name: RefCell<Option<CString>>,
    alpn: RefCell<Vec<u8>>,
    resumption: Cell<bool>,
    /// The session a client would like to resume.
    ticket: RefCell<Zeroizing<Vec<u8>>>,
    /// `None`: a server that starts handshakes without a cookie exchange.
    cookie: RefCell<Option<CookieKey>>,
    session: RefCell<Option<Rc<Session>>>,
    /// The session has not been used: a handshake starts with one that knows nothing of another.
    fresh: Cell<bool>,
    /// What followed the last flight in its datagram: it belongs to the first read.
    carry: RefCell<Vec<u8>>,
    /// The random of the ClientHello this handshake began with, to know its duplicates from a restarted client.
    client_random: Cell<Option<[u8; 32]>>,
}

impl Connection {
    /// A connection that has not started.
    pub fn new(role: Role, sink: Rc<dyn Sink>) -> Self {
        Self {
            role,
            sink,
            state: Cell::new(State::NotStarted),
            unjudged: Cell::new(false),
            peer: Cell::new(None),
            mtu_hint: Cell::new(0),
            server_name: RefCell::default(),
            alpn: RefCell::default(),
            resumption: Cell::new(false),
            ticket: RefCell::default(),
            cookie: RefCell::default(),
            session: RefCell::default(),
            fresh: Cell::new(false),
            carry: RefCell::default(),
            client_random: Cell::new(None),
        }
    }

    /// Sets whom to talk to, before a handshake.
    pub fn set_peer(&self, peer: PeerAddress) -> Result<()> {
        self.require("set peer", &[State::NotStarted])?;
        self.peer.set(Some(peer));
        Ok(())
    }

    /// Sets the largest IP packet to send in a handshake; 0 for the default of 576 bytes.
    pub fn set_mtu_hint(&self, bytes: u16) -> Result<()> {
        if bytes != 0 && bytes < MIN_LINK_MTU {
            let reason =
                format!("an MTU of {bytes} is too small for a DTLS handshake, {MIN_LINK_MTU} are needed");
            return Err(Error::because(Status::InvalidMtu, "MTU hint", reason));
        }
        self.mtu_hint.set(bytes);
        Ok(())
    }

    /// Sets the host name that a client asks for; `None` asks for none.
    pub fn set_server_name(&self, name: Option<CString>) {
        self.server_name.replace(name);
    }

    /// Sets the application protocols to offer or choose from, in their wire form; none when empty.
    pub fn set_alpn(&self, list: &[u8]) -> Result<()> {
        if !alpn::is_well_formed(list) {
            return Err(Error::because(Status::InvalidArgument, "ALPN", "the protocol list is malformed"));
        }
        self.alpn.replace(list.to_vec());
        Ok(())
    }

    /// Sets whether sessions may be resumed by tickets, and the session that a client would like to resume.
    pub fn set_resumption(&self, allowed: bool, ticket: &[u8]) {
        self.resumption.set(allowed);
        self.ticket.replace(Zeroizing::new(ticket.to_vec()));
    }

    /// Whether to resume sessions, if the program would like to. A resumed handshake shows no certificate and asks for no
    /// pre-shared key, and a server without a certificate has nothing but such keys: one that knows its clients by
    /// either asks each time.
    pub fn may_resume(&self, wanted: bool, verifies_peer: bool, has_certificate: bool) -> bool {
        wanted && (self.role == Role::Client || (!verifies_peer && has_certificate))
    }

    /// Sets what cookies are checked with; `None` lets a server start without a cookie.
    pub fn set_cookie(&self, key: Option<CookieKey>) {
        self.cookie.replace(key);
    }

    /// Where the handshake stands.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// The session, until the next handshake or [`Connection::reset`].
    pub fn session(&self) -> Option<Rc<Session>> {
        self.session.borrow().clone()
    }

    /// Gives the next handshake its `SSL`, and what has to outlive it: also here, on failure.
    pub fn init_tls(&self, companion: Box<dyn Any>, ssl: Ssl) -> Result<Rc<Session>> {
        let peer = self.ready_for_tls()?;
        let server_name = self.server_name.borrow().clone();
        let (alpn, ticket) = (self.alpn.borrow().clone(), self.ticket.take());
        let setup = Setup {
            role: self.role,
            link_mtu: match self.mtu_hint.get() {
                0 => DEFAULT_LINK_MTU,
                hint => hint,
            },
            cookie_exchange: self.role == Role::Server && self.cookie.borrow().is_some(),
            server_name: server_name.as_deref().filter(|_| self.role == Role::Client),
            alpn: &alpn,
            resumption: self.resumption.get(),
            session: if self.resumption.get() { &ticket } else { &[] },
        };
        let session = Session::new(companion, &setup, peer, Rc::clone(&self.sink), ssl)?;
        self.reset();
        self.session.replace(Some(Rc::clone(&session)));
        self.fresh.set(true);
        Ok(session)
    }

    fn ready_for_tls(&self) -> Result<PeerAddress> {
        self.require("init TLS", &[State::NotStarted])?;
        self.peer
            .get()
            .ok_or_else(|| Error::because(Status::InvalidState, "init TLS", "no peer address is set"))
    }

    /// Starts the handshake. A server needs the client's first datagram: one with a valid cookie, when a cookie key is
    /// set.
    pub fn start(&self, datagram: &[u8]) -> Result<Need> {
        self.require("start handshake", &[State::NotStarted])?;
        if !self.fresh.take() {
            return Err(Error::because(Status::InvalidState, "start handshake", "TLS is not initialised"));
        }
        let session = self.enter("start handshake")?;
        let key = self.cookie.borrow().clone().filter(|_| self.role == Role::Server);
        let unread = match key {
            None => datagram.len(),
            Some(key) => session.listen(datagram, &key).inspect_err(|_| self.reset())?,
        };
        self.client_random.set(ClientHello::parse(datagram).map(|hello| *hello.random));
        self.state.set(State::InProgress);
        self.advance(session, tail(datagram, unread))
    }

    /// Goes on with the handshake.
    pub fn proceed(&self, datagram: &[u8]) -> Result<Need> {
        self.require("continue handshake", &[State::InProgress])?;
        let session = self.enter("continue handshake")?;
        if self.peer_restarted(datagram)? {
            return match self.is_current(&session) {
                true => Ok(Need::Datagram),
                false => Err(Error::new(Status::Aborted, "handshake")),
            };
        }
        self.advance(session, datagram)
    }

    fn advance(&self, session: InUse, datagram: &[u8]) -> Result<Need> {
        let progress = session.handshake(datagram);
        if !self.is_current(&session) {
            return Err(Error::new(Status::Aborted, "handshake"));
        }
        match progress {
            Ok(Progress::Continues) => Ok(Need::Datagram),
            Ok(Progress::Finished { unread }) => {
                self.carry.replace(tail(datagram, unread).to_vec());
                self.unjudged.set(true);
                Ok(Need::Verdict)
            }
            Err(error) if error.status() == Status::SendFailed => Err(error),
            Err(error) => {
                self.state.set(State::NotStarted);
                Err(error)
            }
        }
    }

    /// Accepts or refuses the peer that [`Need::Verdict`] asked about. One that was refused can be accepted later.
    pub fn judge_peer(&self, accepted: bool) -> Result<()> {
        let refused_before = self.state.get() == State::PeerVerificationFailed;
        if !self.unjudged.take() && !refused_before {
            return Err(Error::new(Status::InvalidState, "judge peer"));
        }
        self.state.set(if accepted { State::Complete } else { State::PeerVerificationFailed });
        Ok(())
    }

    /// Ends a handshake. A peer that finished it, and was refused, is told by a close_notify.
    pub fn abort(&self) -> Result<()> {
        self.require("abort handshake", &[State::InProgress, State::PeerVerificationFailed])?;
        self.end(self.state.get() == State::PeerVerificationFailed || self.unjudged.get());
        Ok(())
    }

    /// Tells the peer that no more will come, and ends the connection.
    pub fn shutdown(&self) -> Result<()> {
        self.require("shutdown", &[State::Complete])?;
        self.end(true);
        Ok(())
    }

    fn end(&self, farewell: bool) {
        let session = self.session();
        self.reset();
        if let Some(session) = session.filter(|_| farewell) {
            session.say_farewell();
        }
    }

    /// Back to the beginning, without a word to the peer; the settings stay.
    pub fn reset(&self) {
        self.state.set(State::NotStarted);
        self.fresh.set(false);
        self.unjudged.set(false);
        self.client_random.set(None);
        self.carry.take();
        let session = self.session.take();
        if let Some(session) = &session {
            session.abandon();
        }
        // Only now, when all is in order: the last reference may run the program's code on its way out.
        drop(session);
    }

    /// The time until [`Connection::handle_timeout`] is due; `None` when nothing is waited for.
    pub fn time_left(&self) -> Option<Duration> {
        match self.state.get() {
            State::InProgress if !self.unjudged.get() => self.session()?.time_left(),
            _ => None,
        }
    }

    /// Sends the last flight again if its timer has run out, and says whether it had.
    pub fn handle_timeout(&self) -> Result<bool> {
        self.require("handle timeout", &[State::InProgress])?;
        let session = self.enter("handle timeout")?;
        let result = session.handle_timeout();
        if !self.is_current(&session) {
            return Err(Error::new(Status::Aborted, "handle timeout"));
        }
        if result.as_ref().is_err_and(|error| error.status() != Status::SendFailed) {
            self.state.set(State::NotStarted);
        }
        result
    }

    /// Encrypts and sends one message, and returns its length.
    pub fn write(&self, message: &[u8]) -> Result<usize> {
        self.require("write", &[State::Complete])?;
        match message.len() {
            0 => return Err(Error::new(Status::MessageEmpty, "SSL_write")),
            1..=MAX_MESSAGE => {}
            length => {
                let reason = format!("{length} bytes do not fit into one DTLS record of {MAX_MESSAGE}");
                return Err(Error::because(Status::MessageTooLarge, "SSL_write", reason));
            }
        }
        let session = self.enter("write")?;
        let result = session.write(message);
        if !self.is_current(&session) {
            return Err(Error::new(Status::Aborted, "write"));
        }
        if result.as_ref().is_err_and(|error| error.status() == Status::ConnectionFailed) {
            self.reset();
        }
        result
    }

    /// The size of buffer that a read of a datagram of `length` bytes asks for.
    pub fn read_capacity(&self, length: usize) -> usize {
        let early = self.session.borrow().as_ref().map_or(0, |session| session.early());
        length.saturating_add(self.carry.borrow().len()).saturating_add(early)
    }

    /// Decrypts a datagram: the plaintexts of all its records, in order, one after the other. Returns how many bytes
    /// there are, and how the connection ended if the datagram ended it.
    pub fn read(&self, datagram: &[u8], buffer: PlaintextBuffer) -> Result<(usize, Option<Error>)> {
        self.require("read", &[State::Complete])?;
        let needed = self.read_capacity(datagram.len());
        if buffer.capacity() < needed {
            let reason = format!("{needed} bytes are needed");
            return Err(Error::because(Status::BufferTooSmall, "read", reason));
        }
        let session = self.enter("read")?;
        if self.peer_restarted(datagram)? {
            return Ok((0, None));
        }
        let received = match self.carry.take() {
            carry if carry.is_empty() => session.read(datagram, buffer, 0),
            carry => {
                let first = session.read(&carry, buffer, 0);
                if first.end.is_some() { first } else { session.read(datagram, buffer, first.length) }
            }
        };
        if !self.is_current(&session) {
            return Err(Error::new(Status::Aborted, "read"));
        }
        if received.end.is_some() {
            self.reset();
        }
        Ok((received.length, received.end))
    }

    /// Looks for a ClientHello of a client that began anew from the same address (RFC 6347, 4.2.8). Without a cookie
    /// it is answered like any other and nothing changes here; with one it ends this connection, so that the caller
    /// gets to know, and the client's next hello starts another.
    fn peer_restarted(&self, datagram: &[u8]) -> Result<bool> {
        let other_hello = |hello: &ClientHello<'_>| self.client_random.get() != Some(*hello.random);
        if self.role != Role::Server || ClientHello::parse(datagram).filter(other_hello).is_none() {
            return Ok(false);
        }
        let (Some(key), Some(peer)) = (self.cookie.borrow().clone(), self.peer.get()) else {
            return Ok(false);
        };
        // Whether the answer could be sent is of no interest to the connection that goes on.
        if listener::verify(&key, &peer, datagram, &*self.sink).unwrap_or(false) {
            self.reset();
            return Err(Error::new(Status::PeerRestarted, "ClientHello"));
        }
        Ok(true)
    }

    fn enter(&self, operation: &'static str) -> Result<InUse> {
        let missing = || Error::because(Status::InvalidState, operation, "TLS is not initialised");
        Session::enter(self.session.borrow().as_ref().ok_or_else(missing)?, operation)
    }

    /// Whether the operation's session is still this connection's: its callbacks may have ended it.
    fn is_current(&self, operation: &InUse) -> bool {
        self.session.borrow().as_ref().is_some_and(|session| operation.is(session))
    }

    fn require(&self, operation: &'static str, states: &[State]) -> Result<()> {
        match states.contains(&self.state.get()) {
            true => Ok(()),
            false => Err(Error::new(Status::InvalidState, operation)),
        }
    }
}

/// The last `length` bytes.
fn tail(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default()
}
