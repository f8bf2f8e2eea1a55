// SPDX-License-Identifier: MIT OR Apache-2.0
//! The settings of a connection. They outlive its associations; init TLS reads them.

#![forbid(unsafe_code)]

use crate::cookie::CookieKey;
use crate::error::{Error, Result, Status};
use crate::memory::{self, Arc};
use crate::openssl::session::Session;
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::server_name;
use crate::wire::{alpn, srtp};
use std::cell::{Cell, RefCell};
use std::ffi::CString;
use zeroize::Zeroizing;

/// OpenSSL's smallest link MTU (d1_lib.c).
const MIN_LINK_MTU: u16 = 256;

/// A session to resume.
#[derive(Default)]
enum Offer {
    #[default]
    Nothing,
    Encoded(Zeroizing<Vec<u8>>),
    Decoded(Arc<Session>),
}

/// See the module documentation.
#[derive(Default)]
pub struct Settings {
    pub(super) peer: Cell<Option<PeerAddress>>,
    mtu_hint: Cell<u16>,
    pub(super) server_name: RefCell<Option<CString>>,
    pub(super) alpn: RefCell<Vec<u8>>,
    /// Whether a peer in whose chain OpenSSL found no error needs no verdict of the caller.
    pub(super) accepts_verified: Cell<bool>,
    /// OpenSSL's names of profiles, with colons between them.
    pub(super) srtp: RefCell<Option<CString>>,
    pub(super) resumption: Cell<bool>,
    /// What a client offers to resume, once.
    offer: RefCell<Offer>,
    /// `None` for a server that starts handshakes without a cookie exchange.
    pub(super) cookie: RefCell<Option<CookieKey>>,
}

impl Settings {
    /// The peer's address.
    pub fn peer(&self) -> Option<PeerAddress> {
        self.peer.get()
    }

    /// Sets the largest IP packet to send in a handshake; 0 says that nothing is known about the path.
    pub fn set_mtu_hint(&self, bytes: u16) -> Result<()> {
        if bytes != 0 && bytes < MIN_LINK_MTU {
            return Err(Error::because(
                Status::InvalidMtu,
                "MTU hint",
                format_args!(
                    "an MTU of {bytes} is too small for a DTLS handshake, {MIN_LINK_MTU} are needed"
                ),
            ));
        }
        self.mtu_hint.set(bytes);
        Ok(())
    }

    /// The largest IP packet to send in a handshake, if anything is known about the path.
    pub(super) fn link_mtu(&self) -> Option<u16> {
        Some(self.mtu_hint.get()).filter(|hint| *hint != 0)
    }

    /// Sets the server name that a client sends; an empty one sends none.
    pub fn set_server_name(&self, name: &[u8]) -> Result<()> {
        self.server_name.replace(if name.is_empty() { None } else { Some(server_name::parse(name)?) });
        Ok(())
    }

    /// Sets the application protocols to offer or select from, in wire format; an empty list removes them.
    pub fn set_alpn(&self, list: &[u8]) -> Result<()> {
        if !alpn::is_well_formed(list) {
            return Err(Error::because(Status::InvalidArgument, "ALPN", "the protocol list is malformed"));
        }
        self.alpn.replace(memory::copy(list).ok_or_else(|| Error::no_memory("ALPN"))?);
        Ok(())
    }

    /// Sets whether a peer is accepted if OpenSSL found no error in its chain, and refused otherwise, without a verdict of
    /// the caller.
    pub fn set_accept_verified(&self, accepts: bool) {
        self.accepts_verified.set(accepts);
    }

    /// Sets the profiles of SRTP to offer or select from, by their numbers, the best first; none removes them.
    pub fn set_srtp(&self, profiles: &[u16]) -> Result<()> {
        let no_memory = || Error::no_memory("SRTP");
        let mut names = Vec::new();
        for number in profiles {
            let profile = srtp::profile(*number).ok_or_else(|| no_profile(*number))?;
            let separator: &[u8] = if names.is_empty() { b"" } else { b":" };
            memory::append(&mut names, separator).ok_or_else(no_memory)?;
            memory::append(&mut names, profile.name.to_bytes()).ok_or_else(no_memory)?;
        }
        let names = match names.is_empty() {
            true => None,
            false => Some(memory::c_string(&names).ok_or_else(no_memory)?),
        };
        self.srtp.replace(names);
        Ok(())
    }

    /// Sets whether sessions may be resumed by tickets, and the session that a client offers to resume.
    pub fn set_resumption(&self, allowed: bool, session: &[u8]) -> Result<()> {
        let offer = match session {
            [] => Offer::Nothing,
            asn1 => {
                let copy = memory::copy(asn1).ok_or_else(|| Error::no_memory("resumption"))?;
                Offer::Encoded(Zeroizing::new(copy))
            }
        };
        self.resumption.set(allowed);
        self.offer.replace(offer);
        Ok(())
    }

    /// Sets the session that a client offers to resume. That of a connection is decoded again: it has a chain, which
    /// would be taken for one that the next peer has sent, and OpenSSL may give it up with the connection.
    pub fn offer_session(&self, session: &Arc<Session>) -> Result<()> {
        let decoded = match session.is_decoded() {
            true => Arc::clone(session),
            false => session.read_asn1(Session::decode)??,
        };
        self.offer.replace(Offer::Decoded(decoded));
        Ok(())
    }

    /// Takes the session that a connection in this role offers to resume. One that cannot be decoded leads to a full
    /// handshake.
    pub(super) fn take_session(&self, role: Role) -> Option<Arc<Session>> {
        match self.offer.take() {
            _ if role == Role::Server || !self.resumption.get() => None,
            Offer::Nothing => None,
            Offer::Encoded(asn1) => Session::decode(&asn1).ok(),
            Offer::Decoded(session) => Some(session),
        }
    }

    /// Sets the key that checks cookies; `None` lets a server start without a cookie.
    pub fn set_cookie(&self, key: Option<CookieKey>) {
        self.cookie.replace(key);
    }
}

fn no_profile(number: u16) -> Error {
    Error::because(
        Status::InvalidArgument,
        "SRTP",
        format_args!("no supported protection profile has number {number}"),
    )
}

/// Returns whether to resume sessions if the program would like to. A resumed handshake shows no certificate and uses
/// no pre-shared key, and a server without a certificate has only such keys. A server that authenticates its clients
/// by either therefore does not resume.
pub fn may_resume(role: Role, wanted: bool, verifies_peer: bool, has_certificate: bool) -> bool {
    wanted && (role == Role::Client || (!verifies_peer && has_certificate))
}
