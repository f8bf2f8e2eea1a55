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

use crate::association::{Association, Step};
use crate::cookie::CookieKey;
use crate::error::{Error, Result, Status};
use crate::host::Host;
use crate::memory::{self, Rc};
use crate::openssl::setup::Setup;
use crate::openssl::ssl::Ssl;
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::statistics::Statistics;
use phase::Phase;
use std::any::Any;
use std::cell::RefCell;
use std::ffi::CString;

/// See the module documentation. What messages need comes first, as in an [`Association`].
#[repr(C)]
pub struct Connection {
    phase: RefCell<Phase>,
    role: Role,
    host: Rc<Box<dyn Host>>,
    settings: Settings,
    /// Those of the last association, once there was one.
    statistics: RefCell<Option<Rc<Statistics>>>,
}

impl Connection {
    /// A connection that has not started.
    pub fn new(role: Role, host: Rc<Box<dyn Host>>) -> Self {
        let phase = RefCell::new(Phase::Idle);
        Self { role, host, settings: Settings::default(), phase, statistics: RefCell::default() }
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

    /// Reads what the next message needs into the processor's cache.
    #[inline]
    pub fn prefetch(&self, step: Step) {
        if let Some(association) = self.phase.borrow().association() {
            association.prefetch(step);
        }
    }

    /// The association, if TLS is initialised. A failed handshake keeps it until the next init TLS or
    /// [`Connection::reset`].
    pub fn association(&self) -> Option<Rc<Association>> {
        self.phase.borrow().association().cloned()
    }

    /// The statistics of the last init TLS on; `None` before.
    pub fn statistics(&self) -> Option<Rc<Statistics>> {
        self.statistics.borrow().clone()
    }

    /// The association, if OpenSSL has finished its handshake.
    pub fn finished(&self) -> Result<Rc<Association>> {
        let phase = self.phase.borrow();
        let finished = phase.carry().and(phase.association()).cloned();
        let reason = "the handshake has not finished";
        finished.ok_or_else(|| Error::because(Status::InvalidState, "connection", reason))
    }

    /// Sets up `ssl` for the next handshake; `context_owner` outlives it. Consumes both in every case.
    pub fn init_tls(&self, context_owner: Box<dyn Any>, ssl: Ssl) -> Result<()> {
        self.require_not_started("init TLS")?;
        let no_peer = || Error::because(Status::InvalidState, "init TLS", "no peer address is set");
        let peer = self.settings.peer.get().ok_or_else(no_peer)?;
        let no_memory = || Error::no_memory("init TLS");
        // Copied, because releasing what init TLS took may run the program's code.
        let copy = |text: &RefCell<Option<CString>>| {
            let copy = text.borrow().as_ref().map(|text| memory::c_string(text.to_bytes()));
            copy.map(|copy| copy.ok_or_else(no_memory)).transpose()
        };
        let (server_name, srtp) = (copy(&self.settings.server_name)?, copy(&self.settings.srtp)?);
        let alpn = memory::copy(&self.settings.alpn.borrow()).ok_or_else(no_memory)?;
        let session = self.settings.take_session(self.role);
        let setup = Setup {
            role: self.role,
            cookie_exchange: self.cookie_key().is_some(),
            server_name: server_name.as_deref().filter(|_| self.role == Role::Client),
            alpn: &alpn,
            srtp: srtp.as_deref(),
            resumption: self.settings.resumption.get(),
            session: session.as_ref(),
        };
        let association = Association::new(
            context_owner,
            &setup,
            self.settings.link_mtu(),
            peer,
            Rc::clone(&self.host),
            ssl,
        )?;
        self.statistics.replace(Some(association.statistics()));
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
        let is_end = matches!(next, Phase::Idle);
        let last = self.phase.replace(next);
        if let Some(association) = last.association() {
            association.let_go(close_notify);
        }
        if is_end {
            self.host.left();
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
