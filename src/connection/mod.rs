// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handshake state machine of one peer: Qt's `QDtls`.
//!
//! A connection outlives its associations: each handshake uses a new one, so no state of the previous one remains.
//! Ending a connection only releases its association; a running operation holds it until OpenSSL has returned.
//!
//! The phase is set before user code can run, never after. A callback therefore sees the phase that the operation has
//! produced, and the operation returns `Aborted` if a callback has changed it.

#![forbid(unsafe_code)]

mod phase;
mod settings;

pub use phase::State;
pub use settings::{Settings, may_resume};

use crate::association::operation::Purpose;
use crate::association::{Association, Progress};
use crate::cookie::{Check, CookieKey};
use crate::error::{Error, Result, Status};
use crate::host::Host;
use crate::listener;
use crate::openssl::setup::Setup;
use crate::openssl::ssl::{PlaintextBuffer, Ssl};
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::wire::hello::ClientHello;
use crate::wire::record;
use phase::{Carry, Phase, Started};
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The input that a handshake needs next.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The peer's next datagram, or the expiry of the retransmission timer.
    Datagram = 0,
    /// The caller's verdict on the peer.
    Verdict = 1,
}

/// The longest plaintext of a record (RFC 5246, 6.2.1).
const MAX_MESSAGE: usize = 1 << 14;
/// The number of bytes kept while the verdict is awaited (A10), the size of the largest datagram. More is dropped, as
/// the network may drop datagrams.
const MAX_CARRY: usize = 1 << 16;

/// See the module documentation.
pub struct Connection {
    role: Role,
    host: Rc<dyn Host>,
    settings: Settings,
    phase: RefCell<Phase>,
}

impl Connection {
    /// A connection that has not started.
    pub fn new(role: Role, host: Rc<dyn Host>) -> Self {
        Self { role, host, settings: Settings::default(), phase: RefCell::new(Phase::Idle) }
    }

    /// The role of this end.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The settings, which init TLS reads.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sets the peer, before a handshake.
    pub fn set_peer(&self, peer: PeerAddress) -> Result<()> {
        self.require_not_started("set peer")?;
        self.settings.peer.set(Some(peer));
        Ok(())
    }

    /// The state of the handshake.
    pub fn state(&self) -> State {
        self.phase.borrow().state()
    }

    /// The association, if TLS is initialised. A failed handshake keeps it until the next init TLS or
    /// [`Connection::reset`].
    pub fn association(&self) -> Option<Rc<Association>> {
        self.phase.borrow().association().cloned()
    }

    /// Sets up `ssl` for the next handshake; `context_owner` outlives it. Consumes both in every case.
    pub fn init_tls(&self, context_owner: Box<dyn Any>, ssl: Ssl) -> Result<()> {
        self.require_not_started("init TLS")?;
        let no_peer = || Error::because(Status::InvalidState, "init TLS", "no peer address is set");
        let peer = self.settings.peer.get().ok_or_else(no_peer)?;
        let server_name = self.settings.server_name.borrow().clone();
        let alpn = self.settings.alpn.borrow().clone();
        let ticket = self.settings.ticket.take();
        let resumption = self.settings.resumption.get();
        let setup = Setup {
            role: self.role,
            link_mtu: self.settings.link_mtu(),
            cookie_exchange: self.cookie_key().is_some(),
            server_name: server_name.as_deref().filter(|_| self.role == Role::Client),
            alpn: &alpn,
            resumption,
            session: if resumption { &ticket } else { &[] },
        };
        let association = Association::new(context_owner, &setup, peer, Rc::clone(&self.host), ssl)?;
        self.leave_for(Phase::Ready(association), false);
        Ok(())
    }

    /// Starts the handshake. A server passes the client's first datagram, which must carry a valid cookie if a cookie
    /// key is set.
    pub fn start(&self, datagram: &[u8]) -> Result<Need> {
        let association = self.begin(datagram)?;
        let progress = match self.cookie_key() {
            None => association.handshake(datagram),
            Some(key) => match self.verified(&association, &key, datagram) {
                Ok((record, hello)) => association.start_verified(&record, &hello, datagram),
                Err(error) => {
                    if association.is_current() {
                        self.reset();
                    }
                    return Err(error);
                }
            },
        };
        if progress.as_ref().is_err_and(|error| error.status() == Status::CookieRejected) {
            self.reset();
        }
        self.advance(&association, datagram, progress)
    }

    /// Enters the handshake phase, before any code of the program can run.
    fn begin(&self, datagram: &[u8]) -> Result<Rc<Association>> {
        self.require_not_started("start handshake")?;
        let mut phase = self.phase.borrow_mut();
        let Phase::Ready(association) = &*phase else {
            let reason = "TLS is not initialised";
            return Err(Error::because(Status::InvalidState, "start handshake", reason));
        };
        let association = Rc::clone(association);
        let client_random = ClientHello::parse(datagram).map(|hello| *hello.random);
        *phase = Phase::Handshaking(Started { association: Rc::clone(&association), client_random });
        Ok(association)
    }

    /// Returns the ClientHello at the start of `datagram` and its record, if its cookie is valid.
    fn verified<'a>(
        &self,
        association: &Association,
        key: &CookieKey,
        datagram: &'a [u8],
    ) -> Result<(record::Record<'a>, ClientHello<'a>)> {
        let rejected = || Error::new(Status::CookieRejected, "ClientHello");
        let (record, _) = record::split_record(datagram).ok_or_else(rejected)?;
        let hello = ClientHello::from_record(&record).ok_or_else(rejected)?;
        let check = association.run("start handshake", Purpose::Listen, &[], |_, _| {
            key.check(&association.peer(), &hello, self.host.now())
        })??;
        match check {
            Check::Valid => Ok((record, hello)),
            Check::Answer(_) => Err(rejected()),
        }
    }

    /// Continues the handshake.
    pub fn proceed(&self, datagram: &[u8]) -> Result<Need> {
        const NAME: &str = "continue handshake";
        let association = match &*self.phase.borrow() {
            Phase::Handshaking(started) | Phase::AwaitingVerdict(started, _) => {
                Rc::clone(&started.association)
            }
            _ => return Err(Error::new(Status::InvalidState, NAME)),
        };
        if self.answers_restart(&association, datagram)? {
            return Ok(Need::Datagram);
        }
        if self.keep_for_first_read(datagram) {
            return Ok(Need::Verdict);
        }
        let progress = association.handshake(datagram);
        self.advance(&association, datagram, progress)
    }

    fn advance(
        &self,
        association: &Rc<Association>,
        datagram: &[u8],
        progress: Result<Progress>,
    ) -> Result<Need> {
        match progress {
            Ok(Progress::Continues) => Ok(Need::Datagram),
            Ok(Progress::Finished { unread }) => {
                let carry = datagram.get(datagram.len().saturating_sub(unread)..).unwrap_or_default();
                self.finish(carry.to_vec());
                Ok(Need::Verdict)
            }
            Err(error) => {
                self.fail_after(association, &error);
                Err(error)
            }
        }
    }

    fn finish(&self, carry: Carry) {
        let mut phase = self.phase.borrow_mut();
        *phase = match std::mem::replace(&mut *phase, Phase::Idle) {
            Phase::Handshaking(started) => Phase::AwaitingVerdict(started, carry),
            other => other,
        };
    }

    /// While the verdict is awaited, keeps records for the first read and does not call OpenSSL (A10). Returns
    /// whether the verdict is awaited.
    fn keep_for_first_read(&self, datagram: &[u8]) -> bool {
        let mut phase = self.phase.borrow_mut();
        let Some(carry) = phase.carry_mut() else {
            return false;
        };
        let records = record::whole_records(datagram);
        if carry.len().saturating_add(records.len()) <= MAX_CARRY {
            carry.extend_from_slice(records);
        }
        true
    }

    /// Ends a handshake that cannot continue after `error`. The peer's certificates can still be queried.
    fn fail_after(&self, association: &Rc<Association>, error: &Error) {
        if error.status().leaves_association() || !association.is_current() {
            return;
        }
        self.phase.replace(Phase::Failed(Rc::clone(association)));
    }

    /// Accepts or refuses the peer after [`Need::Verdict`]. A refused peer can be accepted later.
    pub fn judge_peer(&self, accepted: bool) -> Result<()> {
        let mut phase = self.phase.borrow_mut();
        match std::mem::replace(&mut *phase, Phase::Idle) {
            Phase::AwaitingVerdict(started, carry) | Phase::Rejected(started, carry) => {
                *phase = match accepted {
                    true => Phase::Connected(started, carry),
                    false => Phase::Rejected(started, carry),
                };
                Ok(())
            }
            other => {
                *phase = other;
                Err(Error::new(Status::InvalidState, "judge peer"))
            }
        }
    }

    /// Ends a handshake. Sends a close_notify if OpenSSL has finished it and the peer was not accepted.
    pub fn abort(&self) -> Result<()> {
        let close_notify = match &*self.phase.borrow() {
            Phase::Handshaking(_) => false,
            Phase::AwaitingVerdict(..) | Phase::Rejected(..) => true,
            _ => return Err(Error::new(Status::InvalidState, "abort handshake")),
        };
        self.leave_for(Phase::Idle, close_notify);
        Ok(())
    }

    /// Sends a close_notify and ends the connection.
    pub fn shutdown(&self) -> Result<()> {
        if self.state() != State::Complete {
            return Err(Error::new(Status::InvalidState, "shutdown"));
        }
        self.leave_for(Phase::Idle, true);
        Ok(())
    }

    /// Returns to the initial phase and sends nothing to the peer. The settings stay.
    pub fn reset(&self) {
        self.leave_for(Phase::Idle, false);
    }

    /// Enters `next` and releases the association, if there is one. The phase changes first, because releasing may
    /// run the program's code.
    fn leave_for(&self, next: Phase, close_notify: bool) {
        let last = self.phase.replace(next);
        if let Some(association) = last.association() {
            association.let_go(close_notify);
        }
    }

    /// The time until [`Connection::handle_timeout`] is due; `None` if the timer is not running.
    pub fn time_left(&self) -> Option<Duration> {
        match &*self.phase.borrow() {
            Phase::Handshaking(started) => started.association.time_left(),
            _ => None,
        }
    }

    /// Retransmits the last flight if its timer has expired. Returns whether it retransmitted.
    pub fn handle_timeout(&self) -> Result<bool> {
        let association = match &*self.phase.borrow() {
            Phase::Handshaking(started) | Phase::AwaitingVerdict(started, _) => {
                Rc::clone(&started.association)
            }
            _ => return Err(Error::new(Status::InvalidState, "handle timeout")),
        };
        association.handle_timeout().inspect_err(|error| self.fail_after(&association, error))
    }

    /// Encrypts and sends one message. Returns its length.
    #[inline]
    pub fn write(&self, message: &[u8]) -> Result<usize> {
        let (association, _) = self.connected("write")?;
        if !(1..=MAX_MESSAGE).contains(&message.len()) {
            return Err(no_message_of(message.len()));
        }
        association.write(message).inspect_err(|error| self.end_after(error))
    }

    /// The buffer size that reading a datagram of `length` bytes requires.
    #[inline]
    pub fn read_capacity(&self, length: usize) -> usize {
        let phase = self.phase.borrow();
        let carried = phase.carry().map_or(0, Vec::len);
        let buffered = phase.association().map_or(0, |association| association.buffered_plaintext());
        length.saturating_add(carried).saturating_add(buffered)
    }

    /// Decrypts a datagram: the plaintexts of all its records, concatenated in order. Returns their total length and,
    /// if the datagram ended the connection, how.
    #[inline]
    pub fn read(&self, datagram: &[u8], buffer: PlaintextBuffer) -> Result<(usize, Option<Error>)> {
        let (association, carried) = self.connected("read")?;
        let needed = datagram.len().saturating_add(carried).saturating_add(association.buffered_plaintext());
        if buffer.capacity() < needed {
            return Err(buffer_too_small(needed));
        }
        if self.answers_restart(&association, datagram)? {
            return Ok((0, None));
        }
        let filled = match carried {
            0 => 0,
            _ => match self.read_carry(&association, buffer)? {
                (length, None) => length,
                ended => return Ok(ended),
            },
        };
        let received =
            association.read(datagram, buffer, filled).inspect_err(|error| self.end_after(error))?;
        if received.end.is_some() {
            self.reset();
        }
        Ok((received.length, received.end))
    }

    /// Ends a connection that cannot continue after `error`.
    fn end_after(&self, error: &Error) {
        if error.status() == Status::ConnectionFailed {
            self.reset();
        }
    }

    /// Decrypts the records that arrived after the peer's last flight.
    #[cold]
    fn read_carry(
        &self,
        association: &Association,
        buffer: PlaintextBuffer,
    ) -> Result<(usize, Option<Error>)> {
        if association.is_busy() {
            return Err(Error::new(Status::Busy, "read"));
        }
        let carry = self.phase.borrow_mut().carry_mut().map(std::mem::take).unwrap_or_default();
        let received = association.read(&carry, buffer, 0).inspect_err(|error| self.end_after(error))?;
        if received.end.is_some() {
            self.reset();
        }
        Ok((received.length, received.end))
    }

    /// Handles a ClientHello of a client that restarted from the same address (RFC 6347, 4.2.8). Without a valid
    /// cookie it is answered like any other and the connection continues. With a valid cookie it ends the connection
    /// with `PeerRestarted`, and the client's next hello starts a new one. Returns whether the datagram was such a
    /// hello.
    #[inline]
    fn answers_restart(&self, association: &Association, datagram: &[u8]) -> Result<bool> {
        match datagram.first() {
            Some(&record::HANDSHAKE) if self.role == Role::Server => self.answer_hello(association, datagram),
            _ => Ok(false),
        }
    }

    #[cold]
    fn answer_hello(&self, association: &Association, datagram: &[u8]) -> Result<bool> {
        let client_random = self.phase.borrow().client_random();
        let other_hello = |hello: &ClientHello<'_>| client_random != Some(*hello.random);
        let Some(hello) = ClientHello::parse(datagram).filter(other_hello) else {
            return Ok(false);
        };
        let Some(key) = self.cookie_key() else {
            return Ok(false);
        };
        let verified = association.run("ClientHello", Purpose::Data, &[], |_, _| {
            // A failure to send the answer does not affect this connection.
            listener::verify(&key, &association.peer(), &hello, &*self.host).unwrap_or(false)
        })?;
        if verified {
            self.reset();
            return Err(Error::new(Status::PeerRestarted, "ClientHello"));
        }
        Ok(true)
    }

    /// The association of an established connection, and the number of bytes kept for its first read.
    #[inline]
    fn connected(&self, operation: &'static str) -> Result<(Rc<Association>, usize)> {
        match &*self.phase.borrow() {
            Phase::Connected(started, carry) => Ok((Rc::clone(&started.association), carry.len())),
            _ => Err(Error::new(Status::InvalidState, operation)),
        }
    }

    /// The key of a server that requires cookies.
    fn cookie_key(&self) -> Option<CookieKey> {
        self.settings.cookie.borrow().clone().filter(|_| self.role == Role::Server)
    }

    fn require_not_started(&self, operation: &'static str) -> Result<()> {
        match self.state() {
            State::NotStarted => Ok(()),
            _ => Err(Error::new(Status::InvalidState, operation)),
        }
    }
}

#[cold]
fn no_message_of(length: usize) -> Error {
    if length == 0 {
        return Error::new(Status::MessageEmpty, "SSL_write");
    }
    let reason = format!("{length} bytes do not fit into one DTLS record of {MAX_MESSAGE}");
    Error::because(Status::MessageTooLarge, "SSL_write", reason)
}

#[cold]
fn buffer_too_small(needed: usize) -> Error {
    Error::because(Status::BufferTooSmall, "read", format!("{needed} bytes are needed"))
}
