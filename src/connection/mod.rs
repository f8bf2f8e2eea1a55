// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handshake state machine of one peer: Qt's `QDtls`.
//!
//! A connection outlives its associations: each handshake uses a new one, so no state of the previous one remains.
//! Ending a connection only releases its association; a running operation holds it until OpenSSL has returned.
//!
//! The phase is set before user code can run, never after. A callback therefore sees the phase that the operation has
//! produced, and the operation returns `Aborted` if a callback has changed it.

#![forbid(unsafe_code)]

mod data;
mod handshake;
mod phase;
mod restart;
mod settings;

pub use phase::{Need, State};
pub use settings::{Settings, may_resume};

use crate::association::Association;
use crate::cookie::CookieKey;
use crate::error::{Error, Result, Status};
use crate::host::Host;
use crate::memory::{self, Rc};
use crate::openssl::setup::Setup;
use crate::openssl::ssl::Ssl;
use crate::peer::PeerAddress;
use crate::role::Role;
use phase::Phase;
use std::any::Any;
use std::cell::RefCell;

/// See the module documentation.
pub struct Connection {
    role: Role,
    host: Rc<Box<dyn Host>>,
    settings: Settings,
    phase: RefCell<Phase>,
}

impl Connection {
    /// A connection that has not started.
    pub fn new(role: Role, host: Rc<Box<dyn Host>>) -> Self {
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

    /// Returns whether messages can be exchanged.
    #[inline]
    pub fn is_complete(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Connected(..))
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
        let no_memory = || Error::no_memory("init TLS");
        // Copied, because releasing what init TLS took may run the program's code.
        let server_name =
            self.settings.server_name.borrow().as_ref().map(|name| memory::c_string(name.to_bytes()));
        let server_name = server_name.map(|name| name.ok_or_else(no_memory)).transpose()?;
        let alpn = memory::copy(&self.settings.alpn.borrow()).ok_or_else(no_memory)?;
        let ticket = self.settings.ticket.take();
        let resumption = self.settings.resumption.get();
        let setup = Setup {
            role: self.role,
            cookie_exchange: self.cookie_key().is_some(),
            server_name: server_name.as_deref().filter(|_| self.role == Role::Client),
            alpn: &alpn,
            resumption,
            session: if resumption { &ticket } else { &[] },
        };
        let association = Association::new(
            context_owner,
            &setup,
            self.settings.link_mtu(),
            peer,
            Rc::clone(&self.host),
            ssl,
        )?;
        self.leave_for(Phase::Ready(association), false);
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
