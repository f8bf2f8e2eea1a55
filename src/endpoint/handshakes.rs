// SPDX-License-Identifier: MIT OR Apache-2.0
//! How connections begin, and their timers.

#![forbid(unsafe_code)]

use super::program::{Peer, Program};
use super::transport::PeerHost;
use super::{Endpoint, Listening, end};
use crate::connection::{Connection, Need, State};
use crate::cookie::{Use, ValidCookie};
use crate::error::{Error, Result, Status};
use crate::host::Host;
use crate::listener;
use crate::log::{self, Kind};
use crate::memory::{Place, Rc};
use crate::openssl::context::Context;
use crate::openssl::ssl::Ssl;
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::wire::hello::ClientHello;
use std::net::IpAddr;
use std::time::Instant;

impl<P: Program> Endpoint<P> {
    /// Starts a client's connection to a peer. With a name the server is asked for it, and has to prove it.
    pub fn connect(&self, context: &Context, address: PeerAddress, name: &[u8]) -> Result<Rc<P::Peer>> {
        let peer = self.new_peer(Role::Client, address, None)?;
        let connection = peer.connection();
        connection.settings().set_server_name(name)?;
        if !self.transport.program.prepare(&peer) || self.is_released.get() {
            return Err(Error::because(Status::Aborted, "connect", "the program has refused the connection"));
        }
        let ssl = Ssl::of(context)?;
        ssl.belong_to_endpoint();
        if !name.is_empty() {
            ssl.expect_host(name)?;
        }
        connection.init_tls(Box::new(()), ssl)?;
        if !self.peers.add(address, Rc::clone(&peer), Instant::now()) {
            let reason = "there is a connection with this peer, or no memory";
            return Err(Error::because(Status::InvalidState, "connect", reason));
        }
        match connection.start(&[]) {
            Err(error) if !error.status().leaves_association() => {
                self.peers.remove(address);
                Err(error)
            }
            _ => {
                self.watch(address, &peer);
                Ok(peer)
            }
        }
    }

    /// Answers a peer that is not known. If it has returned a cookie, its handshake begins.
    pub(super) fn greet(&self, from: PeerAddress, datagram: &[u8]) {
        let Some(hello) = ClientHello::parse(datagram) else { return };
        let Some(key) = self.clients.borrow().as_ref().map(|clients| clients.key.clone()) else { return };
        let host = PeerHost::new(Rc::clone(&self.transport), from, self.arrived_at.get());
        // What cannot be sent is sent for the client's next hello.
        let checked = listener::verify(&key, &from, &hello, Use::Listen, &host, &self.cookies);
        let Ok(Some(cookie)) = checked else { return };
        if let Some(limit) = self.limits.reached(self.peers.count()) {
            let (most, what) = (self.limits.get(limit), limit.name());
            return log::report(
                Kind::LimitReached,
                Some(from),
                "endpoint",
                format_args!("no room for a client: the limit is {most} {what}"),
            );
        }
        // One that cannot be set up now can be with the client's next try.
        if let Err(error) = self.accept(from, datagram, cookie) {
            log::report_failure(&error, Some(from));
        }
    }

    fn accept(&self, from: PeerAddress, hello: &[u8], cookie: ValidCookie) -> Result<()> {
        let peer = self.new_peer(Role::Server, from, self.arrived_at.get())?;
        if !self.transport.program.prepare(&peer) {
            return Ok(());
        }
        let connection = peer.connection();
        let (ssl, key) = match &*self.clients.borrow() {
            Some(Listening { context, key }) => (Ssl::of(context)?, key.clone()),
            None => return Ok(()),
        };
        ssl.belong_to_endpoint();
        connection.settings().set_cookie(Some(key));
        connection.init_tls(Box::new(()), ssl)?;
        if self.peers.add(from, Rc::clone(&peer), Instant::now()) {
            let need = connection.start_verified(hello, cookie);
            self.advance(from, &peer, need, hello);
        }
        Ok(())
    }

    fn new_peer(&self, role: Role, address: PeerAddress, own: Option<IpAddr>) -> Result<Rc<P::Peer>> {
        let no_memory = || Error::no_memory("connection");
        let place = Place::new().ok_or_else(no_memory)?;
        let host = Rc::<Box<dyn Host>>::place().ok_or_else(no_memory)?;
        let host = host.fill(place.fill(PeerHost::new(Rc::clone(&self.transport), address, own)));
        let connection = Connection::new(role, host);
        connection.set_peer(address)?;
        self.transport.program.wrap(connection).ok_or_else(no_memory)
    }

    /// Continues a handshake with the peer's datagram.
    pub(super) fn proceed(&self, from: PeerAddress, peer: &Rc<P::Peer>, datagram: &[u8]) {
        let need = peer.connection().proceed(datagram);
        self.advance(from, peer, need, datagram);
    }

    fn advance(&self, from: PeerAddress, peer: &Rc<P::Peer>, need: Result<Need>, datagram: &[u8]) {
        match need {
            Ok(Need::Datagram) => self.watch(from, peer),
            Ok(Need::Verdict) => self.judge(from, peer),
            Ok(Need::Nothing) => self.complete(from, peer),
            Err(error) => self.fail(from, peer, error, datagram),
        }
    }

    fn judge(&self, from: PeerAddress, peer: &Rc<P::Peer>) {
        let connection = peer.connection();
        let is_good =
            || connection.association().is_none_or(|all| all.verify_errors(|errors| errors.next().is_none()));
        let verdict = self.transport.program.judge(peer).unwrap_or_else(is_good);
        if !self.peers.has(from, peer) || connection.judge_peer(verdict).is_err() {
            return;
        }
        // The listener for events may have closed it.
        if !self.peers.has(from, peer) {
            return;
        }
        if !verdict {
            self.peers.remove(from);
            end(connection);
            let error = Error::new(Status::PeerRefused, "handshake");
            return self.transport.program.ended(peer, error);
        }
        self.complete(from, peer);
    }

    /// Tells the program that messages can be exchanged.
    fn complete(&self, from: PeerAddress, peer: &Rc<P::Peer>) {
        let connection = peer.connection();
        self.peers.complete(from, Instant::now());
        self.watch(from, peer);
        self.transport.program.connected(peer);
        // What has come behind the peer's last flight.
        if self.peers.has(from, peer) && connection.read_capacity(0) > 0 {
            self.read(from, peer, &[]);
        }
    }

    /// Ends a connection after an error, unless that has left it as it was. A client that begins again is answered.
    pub(super) fn fail(&self, from: PeerAddress, peer: &Rc<P::Peer>, error: Error, datagram: &[u8]) {
        if error.status().leaves_association() {
            log::report_failure(&error, Some(from));
            return self.watch(from, peer);
        }
        if !self.peers.has(from, peer) {
            return;
        }
        self.peers.remove(from);
        let begins_again = error.status() == Status::PeerRestarted;
        self.transport.program.ended(peer, error);
        if begins_again && !self.is_released.get() {
            self.receive(from, datagram);
        }
    }

    /// Has a connection looked at when its timer expires, or its time is over.
    pub(super) fn watch(&self, address: PeerAddress, peer: &Rc<P::Peer>) {
        let timer = peer.connection().time_left().map(|left| Instant::now() + left);
        if let Some(next) = timer.into_iter().chain(self.end_of_time(address)).min() {
            self.peers.wake(address, next);
        }
    }

    /// Does what is due.
    pub(super) fn handle_deadlines(&self) {
        let now = Instant::now();
        while let Some((address, peer)) = self.peers.due(now) {
            if self.end_of_time(address).is_some_and(|end| end <= now) {
                self.give_up(address, &peer);
            } else {
                self.handle_timeout(address, &peer);
            }
            if self.is_released.get() {
                return;
            }
        }
    }

    /// When a connection's handshake has taken too long, or its peer was quiet for too long.
    fn end_of_time(&self, address: PeerAddress) -> Option<Instant> {
        let times = self.peers.times(address)?;
        let longest = if times.is_in_handshake { Some(self.limits.handshake()) } else { self.limits.quiet() };
        times.since.checked_add(longest?)
    }

    fn give_up(&self, address: PeerAddress, peer: &Rc<P::Peer>) {
        let reason = match peer.connection().state() {
            State::Complete => "the peer has sent nothing for too long",
            _ => "the handshake has taken too long",
        };
        let error = Error::because(Status::TimedOut, "endpoint", reason);
        log::report_failure(&error, Some(address));
        if !self.peers.has(address, peer) {
            return;
        }
        self.peers.remove(address);
        end(peer.connection());
        self.transport.program.ended(peer, error);
    }

    fn handle_timeout(&self, address: PeerAddress, peer: &Rc<P::Peer>) {
        match peer.connection().state() {
            State::InProgress => match peer.connection().handle_timeout() {
                Ok(_) => self.watch(address, peer),
                Err(error) => self.fail(address, peer, error, &[]),
            },
            _ => self.watch(address, peer),
        }
    }
}
