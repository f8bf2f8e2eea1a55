// SPDX-License-Identifier: MIT OR Apache-2.0
//! The settings of a connection: they outlast its associations, and each init TLS takes them up.

#![forbid(unsafe_code)]

use crate::cookie::CookieKey;
use crate::error::{Error, Result, Status};
use crate::peer::PeerAddress;
use crate::role::Role;
use crate::wire::alpn;
use std::cell::{Cell, RefCell};
use std::ffi::CString;
use zeroize::Zeroizing;

/// RFC 791 asks every host to take in datagrams of 576 bytes.
const DEFAULT_LINK_MTU: u16 = 576;
/// OpenSSL's smallest link MTU (d1_lib.c).
const MIN_LINK_MTU: u16 = 256;

/// See the module's documentation.
#[derive(Default)]
pub struct Settings {
    pub(super) peer: Cell<Option<PeerAddress>>,
    mtu_hint: Cell<u16>,
    pub(super) server_name: RefCell<Option<CString>>,
    pub(super) alpn: RefCell<Vec<u8>>,
    pub(super) resumption: Cell<bool>,
    /// The session a client would like to resume.
    pub(super) ticket: RefCell<Zeroizing<Vec<u8>>>,
    /// `None`: a server that starts handshakes without a cookie exchange.
    pub(super) cookie: RefCell<Option<CookieKey>>,
}

impl Settings {
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

    /// The largest IP packet to send in a handshake.
    pub(super) fn link_mtu(&self) -> u16 {
        match self.mtu_hint.get() {
            0 => DEFAULT_LINK_MTU,
            hint => hint,
        }
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

    /// Sets what cookies are checked with; `None` lets a server start without a cookie.
    pub fn set_cookie(&self, key: Option<CookieKey>) {
        self.cookie.replace(key);
    }
}

/// Whether to resume sessions, if the program would like to. A resumed handshake shows no certificate and asks for no
/// pre-shared key, and a server without a certificate has nothing but such keys: one that knows its clients by either
/// asks each time.
pub fn may_resume(role: Role, wanted: bool, verifies_peer: bool, has_certificate: bool) -> bool {
    wanted && (role == Role::Client || (!verifies_peer && has_certificate))
}
