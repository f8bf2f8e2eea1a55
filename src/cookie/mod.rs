// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS cookies: making and checking them (RFC 6347, 4.2.1).
//!
//! A cookie is one byte that identifies a time slot, then the first bytes of an HMAC over the slot, the peer's
//! canonical address and the ClientHello's fields before its cookie: version, random and session id. Extensions are
//! not included, because some clients change them between the two hellos. Nothing is stored per client.

#![forbid(unsafe_code)]

mod process_secret;
mod slot;

pub use process_secret::rotate as rotate_process_secret;
pub use slot::Use;

use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use crate::openssl::hmac::{Hash, Mac, MacKey};
use crate::peer::{IDENTITY_LENGTH, PeerAddress};
use crate::unix_time::UnixTime;
use crate::wire::hello::{ClientHello, MAX_COOKIE};
use process_secret::ProcessSecret;
use slot::Slot;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The key that makes and checks cookies for one listener or connection.
#[derive(Clone, Debug)]
pub struct CookieKey(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The process-wide secret, which this library generates and rotates.
    Process(Hash),
    /// A secret set by the user, used unchanged until the user replaces it.
    User(Arc<MacKey>),
}

/// A cookie, at most [`MAX_COOKIE`] bytes.
#[derive(Clone, Copy, Debug)]
pub struct Cookie(Bytes<MAX_COOKIE>);

/// The result of checking a ClientHello's cookie.
#[derive(Debug)]
pub enum Check {
    /// The cookie is valid: the client receives datagrams at its address.
    Valid,
    /// The cookie is missing or invalid; answer with this one.
    Answer(Cookie),
}

impl Default for CookieKey {
    fn default() -> Self {
        Self(Source::Process(Hash::Sha256))
    }
}

impl CookieKey {
    /// Makes a key with the user's parameters, or with the process-wide secret if `secret` is its stand-in
    /// ([`CookieKey::secret`]).
    pub fn new(hash: Hash, secret: &[u8]) -> Result<Self> {
        if secret.is_empty() {
            return Err(Error::because(
                Status::InvalidArgument,
                "cookie parameters",
                "Invalid (empty) secret",
            ));
        }
        let key = MacKey::shared(hash, secret).map_err(|error| {
            let reason = format!("{hash:?} cannot be used: {}", error.reason());
            Error::because(Status::UnsupportedHash, error.operation(), reason)
        })?;
        let is_stand_in = ProcessSecret::lock().is_stand_in(secret);
        Ok(Self(if is_stand_in { Source::Process(hash) } else { Source::User(key) }))
    }

    /// The hash algorithm of the HMAC.
    pub fn hash(&self) -> Hash {
        match &self.0 {
            Source::User(key) => key.hash(),
            Source::Process(hash) => *hash,
        }
    }

    /// Passes the secret to `read`: the user's own, or a stand-in for the process-wide one, which never leaves this
    /// module. The stand-in is random, constant for the process, and [`CookieKey::new`] recognises it.
    pub fn secret<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Result<R> {
        match &self.0 {
            Source::User(key) => Ok(read(key.secret())),
            Source::Process(_) => Ok(read(ProcessSecret::lock().stand_in()?.expose())),
        }
    }

    /// Makes a cookie.
    pub fn issue(&self, peer: &PeerAddress, hello: &ClientHello<'_>, now: UnixTime) -> Result<Cookie> {
        self.cookie_of(Slot::at(now), peer, hello, now)
    }

    /// Checks the cookie of `hello`. Costs one HMAC, or two if an invalid cookie names another slot than the present
    /// one.
    pub fn check(
        &self,
        peer: &PeerAddress,
        hello: &ClientHello<'_>,
        now: UnixTime,
        cookie_use: Use,
    ) -> Result<Check> {
        let present = Slot::at(now);
        let oldest = cookie_use.oldest(present);
        let shown = hello.returned_cookie().unwrap_or_default();
        let fresh = match shown.first().and_then(|&tag| present.neighbour(tag, oldest)) {
            None => self.cookie_of(present, peer, hello, now)?,
            Some(slot) => {
                let expected = self.cookie_of(slot, peer, hello, now)?;
                if expected.as_bytes().ct_eq(shown).into() {
                    return Ok(Check::Valid);
                }
                if slot == present { expected } else { self.cookie_of(present, peer, hello, now)? }
            }
        };
        Ok(Check::Answer(fresh))
    }

    fn cookie_of(
        &self,
        slot: Slot,
        peer: &PeerAddress,
        hello: &ClientHello<'_>,
        now: UnixTime,
    ) -> Result<Cookie> {
        let input = hmac_input(slot, peer, hello);
        let mac = match &self.0 {
            Source::User(key) => key.mac(input.as_slice())?,
            Source::Process(hash) => ProcessSecret::lock().at(slot, *hash, now)?.mac(input.as_slice())?,
        };
        Ok(Cookie::new(slot, &mac))
    }
}

impl Cookie {
    fn new(slot: Slot, mac: &Mac) -> Self {
        let mut cookie = Bytes::default();
        cookie.push(&[slot.tag()]);
        let mac = mac.as_slice();
        cookie.push(mac.get(..MAX_COOKIE - 1).unwrap_or(mac));
        Self(cookie)
    }

    /// The bytes for the HelloVerifyRequest.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// The input of the HMAC. The two lengths separate the parts of variable length; the others have fixed lengths. With
/// an IPv4 peer and no session id, the usual case, it fits into one block of SHA-256 (55 bytes).
fn hmac_input(
    slot: Slot,
    peer: &PeerAddress,
    hello: &ClientHello<'_>,
) -> Bytes<{ 8 + 2 + 32 + 2 + IDENTITY_LENGTH + 32 }> {
    let peer = peer.identity();
    let mut input = Bytes::default();
    input.push(&slot.0.to_be_bytes());
    input.push(&hello.version);
    input.push(hello.random);
    // The parser allows session ids of at most 32 bytes.
    input.push(&[peer.as_slice().len() as u8, hello.session_id.len() as u8]);
    input.push(peer.as_slice());
    input.push(hello.session_id);
    input
}

#[cfg(test)]
mod tests;
