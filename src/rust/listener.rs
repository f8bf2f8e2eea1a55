// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cookie exchange of a server (RFC 6347, 4.2.1).

#![forbid(unsafe_code)]

use super::host::send_result;
use crate::cookie::{CookieKey, Use};
use crate::error::Result;
use crate::host::{Host, Psk, PskRequest, SendResult};
use crate::listener;
use crate::openssl::hmac::Hash;
use crate::peer::PeerAddress;
use crate::statistics::Cookies;
use crate::unix_time::UnixTime;
use crate::wire::hello::ClientHello;
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

/// Makes clients prove that they receive datagrams at the address they claim, before anything is kept about them. It is
/// cheap to clone, and clones share the key.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    pub(super) key: CookieKey,
}

impl Listener {
    /// A listener with the secret of this process, which is random, and replaced every hour (`QDTLS_COOKIE_ROTATION_S`).
    pub fn new() -> Self {
        Self::default()
    }

    /// A listener with a secret that several servers share, of at least one byte and better 32. Its cookies are made by
    /// HMAC with SHA-256, and valid as long as the servers' clocks agree (`QDTLS_COOKIE_LIFETIME_S`).
    ///
    /// Errors: `InvalidArgument` if it is empty; `InitFailed` without memory that can be locked; `OutOfMemory`.
    pub fn with_secret(secret: &[u8]) -> Result<Self> {
        Ok(Self { key: CookieKey::new(Hash::Sha256, secret)? })
    }

    /// Judges a datagram of a peer without a connection. True: it is a ClientHello with a valid cookie, and starts a
    /// connection ([`Connection::start`](super::Connection::start)). False: it was a ClientHello without one, and `send`
    /// was given the answer for that peer, shorter than the hello; or it was anything else, and is ignored. Nothing is
    /// kept in either case.
    ///
    /// Errors, after which the next datagram is judged as this one would have been: `InvalidAddress` for an address that no
    /// peer has, such as port 0; `SendFailed` and `SendRefused` as [`Host::send`](super::Host::send) says; `RandomFailed`,
    /// `InitFailed` and `OutOfMemory` where there is no secret yet.
    pub fn verify(
        &self,
        peer: SocketAddr,
        datagram: &[u8],
        send: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> Result<bool> {
        let Some(hello) = ClientHello::parse(datagram) else { return Ok(false) };
        let peer = PeerAddress::of_socket(peer)?;
        let answer = Answer(Cell::new(Some(send)));
        listener::verify(&self.key, &peer, &hello, Use::Listen, &answer, &Cookies::default())
            .map(|valid| valid.is_some())
    }
}

/// Sends one datagram.
struct Answer<S>(Cell<Option<S>>);

impl<S: FnOnce(&[u8]) -> io::Result<()>> Host for Answer<S> {
    fn send(&self, datagram: &[u8]) -> SendResult {
        self.0.take().map_or(SendResult::Failed, |send| send_result(send(datagram)))
    }

    fn psk(&self, _request: &PskRequest<'_>) -> Option<Psk> {
        None
    }

    fn now(&self) -> UnixTime {
        UnixTime::now()
    }
}
