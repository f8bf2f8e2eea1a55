// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS cookies: making and checking them (RFC 6347, 4.2.1).
//!
//! A cookie begins with four bytes that name a secret and the time, then come the first bytes of an HMAC over the time, the
//! peer's canonical address, and the ClientHello's version and random. Its session id and extensions are not included,
//! because some clients change them between the two hellos (I2). Nothing is stored per client.

#![forbid(unsafe_code)]

mod moment;
mod process_secret;

pub use moment::Use;
pub use process_secret::{revoke as revoke_process_secret, rotate as rotate_process_secret};

use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use crate::openssl::hmac::{Hash, Mac, SharedKey};
use crate::peer::{IDENTITY_LENGTH, PeerAddress};
use crate::unix_time::UnixTime;
use crate::wire::hello::{ClientHello, MAX_COOKIE};
use moment::Moment;
use process_secret::{Number, ProcessSecret};
use std::time::Instant;
use subtle::ConstantTimeEq;

/// The bytes before the HMAC: four bits for the secret's number, the rest for the time.
const NAME_LENGTH: usize = 4;
const TIME_BITS: u32 = moment::SHOWN_BITS;

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
    Valid(ValidCookie),
    /// The cookie is missing or invalid; answer with this one.
    Answer(Cookie),
}

/// What is known of a cookie that was found valid.
#[derive(Clone, Copy, Debug)]
pub struct ValidCookie {
    /// The time of the check.
    pub at: UnixTime,
    /// The milliseconds since it was made: a round trip, if the client answered at once.
    pub age: u64,
}

/// The check of a ClientHello's cookie before a handshake.
pub enum CookieCheck<'a> {
    /// With this key.
    Due(&'a CookieKey),
    /// A listener has checked it.
    Done(ValidCookie),
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
        self.fresh(Moment::at(now), peer, hello)
    }

    /// Checks the cookie of `hello`. Costs one HMAC, or two if an invalid cookie names a time at which it would be valid.
    pub fn check(
        &self,
        peer: &PeerAddress,
        hello: &ClientHello<'_>,
        now: UnixTime,
        cookie_use: Use,
    ) -> Result<Check> {
        let shown = hello.returned_cookie().unwrap_or_default();
        let named = named(shown, now).filter(|(_, made)| cookie_use.accepts(*made, now));
        if let Some((number, made)) = named {
            let expected = self.cookie_of(made, number, peer, hello)?;
            if expected.is_some_and(|expected| expected.as_bytes().ct_eq(shown).into()) {
                return Ok(Check::Valid(ValidCookie { at: now, age: made.age(now) }));
            }
        }
        self.fresh(Moment::at(now), peer, hello).map(Check::Answer)
    }

    /// The cookie that the newest secret makes.
    fn fresh(&self, made: Moment, peer: &PeerAddress, hello: &ClientHello<'_>) -> Result<Cookie> {
        let input = hmac_input(made, peer, hello);
        match &self.0 {
            Source::User(key) => Ok(Cookie::new(made, Number::default(), &key.mac(input.as_slice())?)),
            Source::Process(hash) => ProcessSecret::with(|process| {
                let (number, key) = process.newest(*hash, Instant::now())?;
                Ok(Cookie::new(made, number, &key.mac(input.as_slice())?))
            }),
        }
    }

    /// The cookie that the secret with this number made; `None` if there is none.
    fn cookie_of(
        &self,
        made: Moment,
        number: Number,
        peer: &PeerAddress,
        hello: &ClientHello<'_>,
    ) -> Result<Option<Cookie>> {
        let input = hmac_input(made, peer, hello);
        let mac = match &self.0 {
            Source::User(_) if number != Number::default() => None,
            Source::User(key) => Some(key.mac(input.as_slice())?),
            Source::Process(hash) => ProcessSecret::with(|process| {
                let key = process.numbered(number, *hash)?;
                key.map(|key| key.mac(input.as_slice())).transpose()
            })?,
        };
        Ok(mac.map(|mac| Cookie::new(made, number, &mac)))
    }
}

impl Cookie {
    #[inline]
    fn new(made: Moment, number: Number, mac: &Mac) -> Self {
        let mut cookie = Bytes::default();
        cookie.push(&(u32::from(number.bits()) << TIME_BITS | made.shown()).to_be_bytes());
        let mac = mac.as_slice();
        cookie.push(mac.get(..MAX_COOKIE - NAME_LENGTH).unwrap_or(mac));
        Self(cookie)
    }

    /// The bytes for the HelloVerifyRequest.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// The secret and the time that a cookie names.
fn named(cookie: &[u8], now: UnixTime) -> Option<(Number, Moment)> {
    let name = u32::from_be_bytes(*cookie.first_chunk::<NAME_LENGTH>()?);
    let [number, ..] = (name >> TIME_BITS).to_le_bytes();
    Some((Number::new(number), Moment::nearest(now, name % (1 << TIME_BITS))))
}

/// The input of the HMAC. Only its last part has a variable length. With IPv4 it fits into one block of SHA-256 (55 bytes).
#[inline]
fn hmac_input(
    made: Moment,
    peer: &PeerAddress,
    hello: &ClientHello<'_>,
) -> Bytes<{ 8 + 2 + 32 + IDENTITY_LENGTH }> {
    let mut input = Bytes::default();
    input.push(&made.to_be_bytes());
    input.push(&hello.version);
    input.push(hello.random);
    input.push(peer.identity().as_slice());
    input
}

#[cfg(test)]
mod tests;
