// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS cookies: making and checking them (RFC 6347, 4.2.1).
//!
//! A cookie is one byte that identifies a time slot and a secret, then the first bytes of an HMAC over the slot, the peer's
//! canonical address and the ClientHello's fields before its cookie: version, random and session id. Extensions are
//! not included, because some clients change them between the two hellos. Nothing is stored per client.

#![forbid(unsafe_code)]

mod process_secret;
mod slot;

pub use process_secret::{revoke as revoke_process_secret, rotate as rotate_process_secret};
pub use slot::Use;

use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use crate::openssl::hmac::{Hash, Mac, SharedKey};
use crate::peer::{IDENTITY_LENGTH, PeerAddress};
use crate::unix_time::UnixTime;
use crate::wire::hello::{ClientHello, MAX_COOKIE};
use process_secret::{Number, ProcessSecret};
use slot::Slot;
use std::time::Instant;
use subtle::ConstantTimeEq;

/// The key that makes and checks cookies for one listener or connection.
#[derive(Clone, Debug)]
pub struct CookieKey(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The process-wide secret, which this library generates and rotates.
    Process(Hash),
    /// A secret set by the user, used unchanged until the user replaces it.
    User(SharedKey),
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
        let key = SharedKey::of(hash, secret)?;
        let is_stand_in = ProcessSecret::with(|process| process.is_stand_in(secret));
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
            Source::Process(_) => ProcessSecret::with(|process| Ok(read(process.stand_in()?.expose()))),
        }
    }

    /// Makes a cookie.
    pub fn issue(&self, peer: &PeerAddress, hello: &ClientHello<'_>, now: UnixTime) -> Result<Cookie> {
        self.fresh(Slot::at(now), peer, hello)
    }

    /// Checks the cookie of `hello`. Costs one HMAC, or two if an invalid cookie names another slot or secret than the
    /// present one.
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
        let named = shown.first().map(|tag| (present.neighbour(tag % 16, oldest), Number::new(tag / 16)));
        let Some((Some(slot), number)) = named else {
            return self.fresh(present, peer, hello).map(Check::Answer);
        };
        let expected = self.cookie_of(slot, number, peer, hello)?;
        match expected {
            Some(expected) if expected.as_bytes().ct_eq(shown).into() => Ok(Check::Valid),
            Some(expected) if slot == present && self.is_newest(number) => Ok(Check::Answer(expected)),
            _ => self.fresh(present, peer, hello).map(Check::Answer),
        }
    }

    /// The cookie that the newest secret makes.
    fn fresh(&self, slot: Slot, peer: &PeerAddress, hello: &ClientHello<'_>) -> Result<Cookie> {
        let input = hmac_input(slot, peer, hello);
        match &self.0 {
            Source::User(key) => Ok(Cookie::new(slot, Number::default(), &key.mac(input.as_slice())?)),
            Source::Process(hash) => ProcessSecret::with(|process| {
                let (number, key) = process.newest(*hash, Instant::now())?;
                Ok(Cookie::new(slot, number, &key.mac(input.as_slice())?))
            }),
        }
    }

    /// Returns whether new cookies are made with the secret of this number.
    fn is_newest(&self, number: Number) -> bool {
        match self.0 {
            Source::User(_) => number == Number::default(),
            Source::Process(_) => ProcessSecret::with(|process| process.is_newest(number, Instant::now())),
        }
    }

    /// The cookie that the secret with this number made; `None` if there is none.
    fn cookie_of(
        &self,
        slot: Slot,
        number: Number,
        peer: &PeerAddress,
        hello: &ClientHello<'_>,
    ) -> Result<Option<Cookie>> {
        let input = hmac_input(slot, peer, hello);
        let mac = match &self.0 {
            Source::User(_) if number != Number::default() => None,
            Source::User(key) => Some(key.mac(input.as_slice())?),
            Source::Process(hash) => ProcessSecret::with(|process| {
                let key = process.numbered(number, *hash)?;
                key.map(|key| key.mac(input.as_slice())).transpose()
            })?,
        };
        Ok(mac.map(|mac| Cookie::new(slot, number, &mac)))
    }
}

impl Cookie {
    fn new(slot: Slot, number: Number, mac: &Mac) -> Self {
        let mut cookie = Bytes::default();
        cookie.push(&[number.bits() * 16 + slot.tag()]);
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
