// SPDX-License-Identifier: MIT OR Apache-2.0
//! DTLS cookies: who made them, for whom, and when (RFC 6347, 4.2.1).
//!
//! A cookie is one byte naming a time slot, then the first bytes of an HMAC over the slot, the peer's canonical address
//! and what the ClientHello says before its cookie: version, random and session id. Extensions stay out of it, because
//! some clients change them between the two hellos. Nothing is stored per client.

use crate::bytes::Bytes;
use crate::error::{Error, Result, Status};
use crate::hello::{ClientHello, MAX_COOKIE};
use crate::openssl::digest::{Hash, Mac};
use crate::openssl::mac::MacKey;
use crate::openssl::random;
use crate::peer::{IDENTITY_LENGTH, PeerAddress};
use crate::secret::Secret;
use crate::settings::{COOKIE_LIFETIME_S, COOKIE_ROTATION_S, COOKIE_SECRET_SIZE};
use crate::{log, os};
use std::sync::{Arc, Mutex, MutexGuard, Once};
use subtle::ConstantTimeEq;

/// Seconds since the Unix epoch. Servers that share a secret agree on time slots because they agree on this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixTime(pub u64);

/// What makes and checks cookies for one listener or connection.
#[derive(Clone, Debug)]
pub struct CookieKey(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The secret of this process, made by it, rotated by it.
    Process(Hash),
    /// A secret the user gave: used as it is, for as long as the user wants.
    User(Arc<MacKey>),
}

/// A cookie, at most [`MAX_COOKIE`] bytes.
#[derive(Clone, Copy, Debug)]
pub struct Cookie(Bytes<MAX_COOKIE>);

/// What a ClientHello's cookie is worth.
#[derive(Debug)]
pub enum Verdict {
    /// The client receives what is sent to its address.
    Verified,
    /// There is no cookie or it is not valid; here is the one to answer with.
    Unverified(Cookie),
}

impl Default for CookieKey {
    fn default() -> Self {
        Self(Source::Process(Hash::Sha256))
    }
}

impl CookieKey {
    /// A key with the user's parameters, or the process-wide secret when `secret` is its [`CookieKey::secret`] stand-in.
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

    /// Hands the secret to `read`: the user's own, or a stand-in for the process-wide one, which never leaves this
    /// module. The stand-in is random, lives as long as the process, and [`CookieKey::new`] knows it again.
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

    /// Judges the cookie of `hello`. One HMAC, or two when a cookie of another slot than the present one is wrong.
    pub fn judge(&self, peer: &PeerAddress, hello: &ClientHello<'_>, now: UnixTime) -> Result<Verdict> {
        let present = Slot::at(now);
        let fresh = match hello.cookie.first().and_then(|&tag| present.neighbour(tag)) {
            None => self.cookie_of(present, peer, hello, now)?,
            Some(slot) => {
                let expected = self.cookie_of(slot, peer, hello, now)?;
                if expected.as_bytes().ct_eq(hello.cookie).into() {
                    return Ok(Verdict::Verified);
                }
                if slot == present { expected } else { self.cookie_of(present, peer, hello, now)? }
            }
        };
        Ok(Verdict::Unverified(fresh))
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

    /// The bytes that stand in the HelloVerifyRequest.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// A stretch of time that cookies are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
struct Slot(u64);

impl Slot {
    fn at(now: UnixTime) -> Self {
        Self(now.0 / COOKIE_LIFETIME_S.get())
    }

    /// The byte that names the slot on the wire: enough to tell neighbours apart.
    fn tag(self) -> u8 {
        let [tag, ..] = self.0.to_le_bytes();
        tag
    }

    /// The slot with this tag among this one and the two beside it.
    fn neighbour(self, tag: u8) -> Option<Self> {
        [self.0, self.0.wrapping_sub(1), self.0.wrapping_add(1)]
            .map(Self)
            .into_iter()
            .find(|s| s.tag() == tag)
    }
}

/// What is authenticated. The two lengths keep the parts after them apart; the rest is of fixed length. An IPv4 peer and
/// no session id, which is usual, leave it within one block of SHA-256 (55 bytes).
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
    // The parser allows session ids of 32 bytes at most.
    input.push(&[peer.as_slice().len() as u8, hello.session_id.len() as u8]);
    input.push(peer.as_slice());
    input.push(hello.session_id);
    input
}

/// The secrets this process made for itself.
struct ProcessSecret {
    /// The newest first; more than one while cookies of older ones are good.
    epochs: Vec<Epoch>,
    /// When the newest was made.
    since: UnixTime,
    stand_in: Option<Secret>,
}

/// A secret, and the first slot whose cookies are made with it.
struct Epoch {
    secret: Secret,
    first: Slot,
    /// The secret made ready for each hash that was asked for.
    keys: Vec<MacKey>,
}

impl Epoch {
    fn key(&mut self, hash: Hash) -> Result<&MacKey> {
        let place = match self.keys.iter().position(|key| key.hash() == hash) {
            Some(place) => place,
            None => {
                self.keys.push(MacKey::new(hash, self.secret.expose())?);
                self.keys.len() - 1
            }
        };
        self.keys.get(place).ok_or_else(|| Error::new(Status::Internal, "cookie secret"))
    }
}

static PROCESS: Mutex<ProcessSecret> = Mutex::new(ProcessSecret::EMPTY);

impl ProcessSecret {
    const EMPTY: Self = Self { epochs: Vec::new(), since: UnixTime(0), stand_in: None };
    /// The slots in which a cookie is good are three, so no more secrets than that and the next one are of use.
    const MAX_EPOCHS: usize = 4;

    fn lock() -> MutexGuard<'static, Self> {
        PROCESS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The key that cookies of `slot` are made with, after a new secret was made if it is time.
    fn at(&mut self, slot: Slot, hash: Hash, now: UnixTime) -> Result<&MacKey> {
        // A clock set back by more than a rotation counts as one, or the secret would outlive its term.
        if self.epochs.is_empty() || now.0.abs_diff(self.since.0) >= COOKIE_ROTATION_S.get() {
            self.rotate(now)?;
        }
        let oldest = self.epochs.len().saturating_sub(1);
        let place = self.epochs.iter().position(|epoch| epoch.first <= slot).unwrap_or(oldest);
        let epoch =
            self.epochs.get_mut(place).ok_or_else(|| Error::new(Status::Internal, "cookie secret"))?;
        epoch.key(hash)
    }

    /// Cookies of the present slot and those before keep the secret they were made with; the next slot, which no
    /// cookie was made for yet, gets the new one.
    fn rotate(&mut self, now: UnixTime) -> Result<()> {
        let secret = new_secret()?;
        let present = Slot::at(now);
        let next = Slot(present.0.wrapping_add(1));
        let first = if self.epochs.is_empty() { present } else { next };
        // One that was to begin in the next slot, too, has made no cookie.
        self.epochs.retain(|epoch| epoch.first != first);
        self.epochs.insert(0, Epoch { secret, first, keys: Vec::new() });
        self.since = now;
        // A cookie of the slot before is still good; what was replaced before that slot is of no use any more.
        let needed =
            self.epochs.iter().position(|epoch| epoch.first < present).map_or(usize::MAX, |last| last + 1);
        self.epochs.truncate(needed.min(Self::MAX_EPOCHS));
        Ok(())
    }

    fn stand_in(&mut self) -> Result<&Secret> {
        match self.stand_in {
            Some(ref secret) => Ok(secret),
            None => Ok(self.stand_in.insert(new_secret()?)),
        }
    }

    fn is_stand_in(&self, secret: &[u8]) -> bool {
        self.stand_in.as_ref().is_some_and(|stand_in| stand_in.equals(secret))
    }
}

/// A random secret. A failing generator is an error of this call alone: nothing half-made is kept.
fn new_secret() -> Result<Secret> {
    static WIPE_AT_EXIT: Once = Once::new();
    WIPE_AT_EXIT.call_once(|| os::at_exit(forget_process_secret));
    let length = usize::try_from(COOKIE_SECRET_SIZE.get()).unwrap_or(usize::MAX);
    Secret::generate(length, random::fill)
        .inspect_err(|error| log::warn(format_args!("cookie secret: {error}")))
}

extern "C" fn forget_process_secret() {
    // A thread that is still using the secret at exit keeps it: waiting for it could hang the exit.
    if let Ok(mut process) = PROCESS.try_lock() {
        *process = ProcessSecret::EMPTY;
    }
}

/// Replaces the process-wide secret now. Cookies made before stay valid for their time.
pub fn rotate_process_secret(now: UnixTime) -> Result<()> {
    ProcessSecret::lock().rotate(now)
}

#[cfg(test)]
#[path = "cookie_tests.rs"]
mod tests;
