// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection to one peer.

#![forbid(unsafe_code)]

use super::host::Host;
use super::listener::Listener;
use super::movable::Movable;
use crate::connection::{self, Need, State};
use crate::error::{Error, Result};
use crate::openssl::ssl::{PlaintextBuffer, Ssl};
use crate::peer::PeerAddress;
use crate::role::Role;
use ::openssl::ssl;
use std::cell::RefMut;
use std::net::SocketAddr;
use std::time::Duration;

/// A connection to one peer: its settings, its handshake and its messages. Dropped, it sends nothing; see
/// [`Connection::shutdown`].
///
/// Errors that every method may return: `InvalidState` in a state that the method does not allow, without effect;
/// `OutOfMemory`, after which the connection is as before, and a datagram counts as lost.
pub struct Connection<H: Host + 'static> {
    movable: Movable<H>,
}

impl<H: Host + 'static> Connection<H> {
    /// A connection in [`State::NotStarted`] that owns `host`, which sends to `peer`.
    ///
    /// Errors: `InvalidAddress` if `peer` is unspecified, multicast or broadcast, or has port 0.
    pub fn new(role: Role, peer: SocketAddr, host: H) -> Result<Self> {
        let peer = PeerAddress::of_socket(peer)?;
        let movable = Movable::new(role, host)?;
        movable.connection().set_peer(peer)?;
        Ok(Self { movable })
    }

    /// Has a server start with a valid cookie of `listener` only, and take a ClientHello with a newer one for a client that
    /// has begun again. Without it anyone can make a server answer to any address with a flight. Takes effect with the
    /// next [`Connection::init_tls`]; a client ignores it.
    pub fn require_cookie(&mut self, listener: &Listener) {
        self.core().settings().set_cookie(Some(listener.key.clone()));
    }

    /// Sets the largest IP packet of a handshake, in bytes from 256; 0, the default, says that nothing is known about the
    /// path. Takes effect with the next [`Connection::init_tls`].
    ///
    /// Errors: `InvalidMtu` for 1 to 255.
    pub fn set_mtu_hint(&mut self, bytes: u16) -> Result<()> {
        self.core().settings().set_mtu_hint(bytes)
    }

    /// Sets the application protocols that a client offers, or from which a server selects the first that the client has
    /// offered; each name after a byte with its length (RFC 7301, 3.1). An empty list, the default, removes them. Takes
    /// effect with the next [`Connection::init_tls`].
    ///
    /// Errors: `InvalidArgument` if the list is malformed.
    pub fn set_alpn(&mut self, list: &[u8]) -> Result<()> {
        self.core().settings().set_alpn(list)
    }

    /// Sets up TLS for the next handshake, in [`State::NotStarted`]. `ssl` is fresh from a context that
    /// [`prepare`](super::prepare) has prepared. What concerns this connection alone was set on it: a client's name of the
    /// server (`SslRef::set_hostname`, `X509VerifyParamRef::set_host`), verification (`SslRef::set_verify`). Sets at most
    /// DTLS 1.2, no renegotiation, no tickets.
    ///
    /// Errors: `InvalidArgument` if its context is not prepared, or its method is not DTLS's or the other role's;
    /// `InitFailed`. `ssl` is dropped then.
    pub fn init_tls(&mut self, ssl: ssl::Ssl) -> Result<()> {
        let ssl = Ssl::from_crate(ssl)?;
        self.run(|core| core.init_tls(Box::new(()), ssl))
    }

    /// Starts the handshake, after [`Connection::init_tls`]. A client passes an empty datagram. A server passes the
    /// client's ClientHello, with a valid cookie if it requires one. A datagram of protected records, left over from an
    /// earlier connection, is ignored.
    ///
    /// Returns what the handshake needs next; the state is [`State::InProgress`]. Errors that leave the handshake in
    /// progress: `SendFailed` (the timer repeats what could not be sent); after `OutOfMemory` the same datagram can start it.
    /// All others end it: `CookieRejected`, `HandshakeFailed`, `AlertReceived`, `Closed`, `PskRejected`. A new one
    /// begins with [`Connection::init_tls`].
    pub fn start(&mut self, datagram: &[u8]) -> Result<Need> {
        self.run(|core| core.start(datagram))
    }

    /// Continues the handshake with a datagram of the peer, in [`State::InProgress`]. What comes while the verdict is
    /// awaited is kept for [`Connection::read`], up to 64 KiB.
    ///
    /// Errors: as for [`Connection::start`], and `PeerRestarted` if a server's client begins again with a valid cookie:
    /// the same datagram starts a new connection.
    pub fn proceed(&mut self, datagram: &[u8]) -> Result<Need> {
        self.run(|core| core.proceed(datagram))
    }

    /// Accepts or refuses the peer, after [`Need::Verdict`]. OpenSSL has refused by itself what the context's
    /// verification refuses; [`Connection::ssl`] shows the rest, such as `SslRef::verify_result` with
    /// `SslVerifyMode::NONE`. Accepted, the state is [`State::Complete`]: call [`Connection::read`] with an empty datagram
    /// for what has come already. Refused, it is [`State::PeerVerificationFailed`]: [`Connection::abort`] ends it.
    pub fn judge_peer(&mut self, accepted: bool) -> Result<()> {
        self.core().judge_peer(accepted)
    }

    /// The time until [`Connection::handle_timeout`] is due; `None` while no timer runs. It changes with each call.
    pub fn time_left(&self) -> Option<Duration> {
        self.core().time_left()
    }

    /// Sends the last flight again if its time has come, in [`State::InProgress`]. Returns whether it did.
    ///
    /// Errors: `SendFailed` leaves the handshake in progress; `TimedOut`, after twelve tries, and `HandshakeFailed` end it.
    pub fn handle_timeout(&mut self) -> Result<bool> {
        self.run(connection::Connection::handle_timeout)
    }

    /// Encrypts one message of 1 to 2^14 bytes and sends it, in one datagram, in [`State::Complete`].
    ///
    /// Errors: `MessageEmpty`, `MessageTooLarge` (also if the peer negotiated less; the text has the limit), `SendFailed` and
    /// `SendRefused`, as [`Host::send`] says, leave the connection as it is; `ConnectionFailed` ends it.
    pub fn write(&mut self, message: &[u8]) -> Result<()> {
        self.run(|core| core.write(message).map(drop))
    }

    /// Decrypts a datagram of the peer, in [`State::Complete`], and appends the plaintexts of its records to `plaintext`.
    /// What is no valid record is ignored.
    ///
    /// Errors end the connection, but for `OutOfMemory`, and what came before them was appended: `Closed` by a close_notify,
    /// `AlertReceived`, `ConnectionFailed`, and `PeerRestarted` as [`Connection::proceed`] says.
    pub fn read(&mut self, datagram: &[u8], plaintext: &mut Vec<u8>) -> Result<()> {
        let (before, room) = (plaintext.len(), self.core().read_capacity(datagram.len()));
        if room == 0 && self.state() == State::Complete {
            return Ok(());
        }
        plaintext.try_reserve(room).map_err(|_| Error::no_memory("read"))?;
        plaintext.resize(before.saturating_add(room), 0);
        let buffer = plaintext.get_mut(before..).unwrap_or_default();
        let outcome = self.run(|core| core.read(datagram, PlaintextBuffer::from(buffer)));
        let length = outcome.as_ref().map_or(0, |(length, _)| *length);
        plaintext.truncate(before.saturating_add(length));
        match outcome? {
            (_, Some(end)) => Err(end),
            (_, None) => Ok(()),
        }
    }

    /// Sends a close_notify and ends the connection, in [`State::Complete`]. It is in [`State::NotStarted`] then, also if
    /// the close_notify could not be sent.
    pub fn shutdown(&mut self) -> Result<()> {
        self.run(connection::Connection::shutdown)
    }

    /// Ends a handshake, in [`State::InProgress`] or [`State::PeerVerificationFailed`]. Sends a close_notify if OpenSSL has
    /// finished it.
    pub fn abort(&mut self) -> Result<()> {
        self.run(connection::Connection::abort)
    }

    /// The state. [`State::NotStarted`] is also that of a connection that has ended.
    pub fn state(&self) -> State {
        self.core().state()
    }

    /// The peer's address, in canonical form: an IPv4-mapped one is the IPv4 address.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.core().settings().peer().map(|peer| peer.to_socket())
    }

    /// Shows OpenSSL's object to `read`: the peer's certificate, the result of its verification, cipher, ALPN. `None`
    /// before OpenSSL has finished the handshake, and when the connection has ended.
    pub fn ssl<R>(&self, read: impl FnOnce(&ssl::SslRef) -> R) -> Option<R> {
        let association = self.core().association()?;
        let ssl = association.ssl().as_crate();
        let is_current =
            matches!(self.state(), State::InProgress | State::PeerVerificationFailed | State::Complete);
        (is_current && ssl.is_init_finished()).then(|| read(ssl))
    }

    /// The host.
    pub fn host_mut(&mut self) -> RefMut<'_, H> {
        self.movable.program().host.borrow_mut()
    }

    fn core(&self) -> &connection::Connection {
        self.movable.connection()
    }

    /// Runs what may call the host.
    fn run<R>(&mut self, work: impl FnOnce(&connection::Connection) -> R) -> R {
        let result = work(self.core());
        self.movable.program().resume_panic();
        result
    }
}
