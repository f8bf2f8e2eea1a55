// SPDX-License-Identifier: MIT OR Apache-2.0
//! HMAC (RFC 2104) with a key that is used many times.
//!
//! HMAC(3) of OpenSSL 3 spends more time on fetching the hash, locks and allocations than on hashing, and hashes the
//! key for each message. With libcrypto's plain SHA functions ([`super::sha`]) the key is hashed once, when it is
//! prepared, and a short message costs two blocks.

use super::sha::{STATE_LENGTH, Sha};
use super::{Hash, Mac, hmac};
use crate::error::{Error, Result};
use crate::log;
use crate::memory::{self, Arc};
use crate::secret::Secret;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Mutex;
use subtle::ConstantTimeEq;

/// RFC 2104, 2: ipad and opad.
const INNER_PAD: u8 = 0x36;
/// See [`INNER_PAD`].
const OUTER_PAD: u8 = 0x5c;
/// The message whose HMAC shows that a key works.
const PROBE: &[u8] = b"qdtls-rs";

/// An HMAC key, in locked memory together with the hash states derived from it, which are equivalent to the key.
pub struct MacKey {
    hash: Hash,
    sha: Option<&'static Sha>,
    /// The states after the inner and the outer pad, if `sha` is present, and then the key.
    memory: Secret,
}

/// The keys set by users. Thousands of connections with the same secret share one locked page.
static SHARED: Mutex<Vec<Arc<MacKey>>> = Mutex::new(Vec::new());

/// A key that a user has set. Equal ones are held once.
#[derive(Clone)]
pub struct SharedKey(ManuallyDrop<Arc<MacKey>>);

impl SharedKey {
    /// As [`MacKey::new`], but returns the existing key if the same secret is already held.
    pub fn of(hash: Hash, secret: &[u8]) -> Result<Self> {
        log::outside_locks(|| Self::find_or_make(hash, secret))
    }

    fn find_or_make(hash: Hash, secret: &[u8]) -> Result<Self> {
        let no_memory = || Error::no_memory("cookie key");
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_same = |key: &&Arc<MacKey>| key.hash == hash && bool::from(key.secret().ct_eq(secret));
        if let Some(key) = shared.iter().find(is_same) {
            return Ok(Self(ManuallyDrop::new(key.clone())));
        }
        let key = Arc::new(MacKey::new(hash, secret)?).map_err(|_| no_memory())?;
        memory::push(&mut shared, key.clone()).ok_or_else(no_memory)?;
        Ok(Self(ManuallyDrop::new(key)))
    }
}

impl Deref for SharedKey {
    type Target = MacKey;

    fn deref(&self) -> &MacKey {
        &self.0
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Drop for SharedKey {
    fn drop(&mut self) {
        // SAFETY: dropped once, and not used afterwards.
        let own = unsafe { ManuallyDrop::take(&mut self.0) };
        if own.give_up() > 1 {
            return;
        }
        // The list's own is left. Another thread may have found it meanwhile.
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let unused = shared.iter().position(|key| key.owners() == 1).map(|place| shared.swap_remove(place));
        drop(shared);
        drop(unused);
    }
}

impl MacKey {
    /// Prepares the key `secret` for `hash`. Fails if OpenSSL does not provide the hash.
    pub fn new(hash: Hash, secret: &[u8]) -> Result<Self> {
        Self::checked(hash, Sha::of(hash), secret, &hmac(hash, secret, PROBE)?)
    }

    /// The functions found by name are used only if they work and compute the right result.
    fn checked(hash: Hash, sha: Option<&'static Sha>, secret: &[u8], expected: &Mac) -> Result<Self> {
        match Self::with(hash, sha, secret) {
            Ok(key) if key.mac(PROBE)?.as_slice() == expected.as_slice() => Ok(key),
            _ => Self::with(hash, None, secret),
        }
    }

    fn with(hash: Hash, sha: Option<&'static Sha>, secret: &[u8]) -> Result<Self> {
        let states = if sha.is_some() { 2 * STATE_LENGTH } else { 0 };
        let memory = Secret::generate(states + secret.len(), |memory| {
            let (states, key) = memory.split_at_mut(states);
            key.copy_from_slice(secret);
            let Some(sha) = sha else { return Ok(()) };
            let (inner, outer) = states.split_at_mut(STATE_LENGTH);
            sha.absorb_pad(secret, INNER_PAD, inner)?;
            sha.absorb_pad(secret, OUTER_PAD, outer)
        })?;
        Ok(Self { hash, sha, memory })
    }

    /// The hash algorithm.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The key as it was passed to [`MacKey::new`].
    pub fn secret(&self) -> &[u8] {
        let states = if self.sha.is_some() { 2 * STATE_LENGTH } else { 0 };
        self.memory.expose().get(states..).unwrap_or_default()
    }

    /// Computes the HMAC of `message`.
    pub fn mac(&self, message: &[u8]) -> Result<Mac> {
        match self.sha.and_then(|sha| self.go_on(sha, message).ok()) {
            Some(mac) => Ok(mac),
            // There are no such functions, or one has failed (A13).
            None => hmac(self.hash, self.secret(), message),
        }
    }

    fn go_on(&self, sha: &Sha, message: &[u8]) -> Result<Mac> {
        let (inner, rest) = self.memory.expose().split_at(STATE_LENGTH);
        let (outer, _) = rest.split_at(STATE_LENGTH);
        let digest = sha.go_on(inner, message)?;
        sha.go_on(outer, digest.as_slice())
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({:?})", self.hash)
    }
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::super::sha;
    use super::*;
    use crate::openssl::random;

    const FAST: [Hash; 5] = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];

    #[test]
    fn a_ready_key_gives_what_hmac_gives() {
        for hash in FAST {
            for length in [1, 16, 31, 32, 63, 64, 65, 127, 128, 129, 200, 1000] {
                let mut secret = vec![0; length];
                random::fill(&mut secret).expect("random bytes");
                let key = MacKey::new(hash, &secret).expect("a key");
                assert!(key.sha.is_some(), "{hash:?}: this OpenSSL has the function");
                assert_eq!(key.secret(), secret);
                for message in [0, 1, 49, 55, 56, 63, 64, 65, 111, 112, 128, 300].map(|size| vec![7; size]) {
                    let expected = hmac(hash, &secret, &message).expect("HMAC(3)");
                    let mac = key.mac(&message).expect("a MAC");
                    assert_eq!(mac.as_slice(), expected.as_slice(), "{hash:?}, {length}, {}", message.len());
                }
            }
        }
    }

    #[test]
    fn other_hashes_are_left_to_hmac() {
        for hash in [Hash::Md5, Hash::Sha3_256, Hash::Blake2b512] {
            let key = MacKey::new(hash, b"secret").expect("a key");
            assert!(key.sha.is_none());
            assert_eq!(key.secret(), b"secret");
            let expected = hmac(hash, b"secret", b"message").expect("HMAC(3)");
            assert_eq!(key.mac(b"message").expect("a MAC").as_slice(), expected.as_slice());
        }
        assert!(MacKey::new(Hash::Keccak256, b"secret").is_err());
    }

    #[test]
    fn a13_functions_that_fail_or_err_are_replaced_by_hmac() {
        let expected = hmac(Hash::Sha256, b"secret", b"message").expect("HMAC(3)");
        let probe = hmac(Hash::Sha256, b"secret", PROBE).expect("HMAC(3)");
        for failing in [sha::tests::Failing::Init, sha::tests::Failing::Update, sha::tests::Failing::Final] {
            let sha = sha::tests::sha256_with(failing);
            let key = MacKey::checked(Hash::Sha256, Some(sha), b"secret", &probe).expect("a key");
            assert_eq!(key.secret(), b"secret", "{failing:?}");
            assert_eq!(key.mac(b"message").expect("a MAC").as_slice(), expected.as_slice(), "{failing:?}");
        }
        let mut key = MacKey::new(Hash::Sha256, b"secret").expect("a key");
        key.sha = Some(sha::tests::sha256_with(sha::tests::Failing::Final));
        assert_eq!(key.mac(b"message").expect("a MAC").as_slice(), expected.as_slice(), "it fails later");
    }

    #[test]
    fn one_secret_is_held_once() {
        let first = SharedKey::of(Hash::Sha256, b"one secret").expect("memory");
        let again = SharedKey::of(Hash::Sha256, b"one secret").expect("memory");
        let other = SharedKey::of(Hash::Sha256, b"another secret").expect("memory");
        let otherwise = SharedKey::of(Hash::Sha512, b"one secret").expect("memory");
        assert!(first.0.is_same(&again.0));
        assert!(!first.0.is_same(&other.0));
        assert!(!first.0.is_same(&otherwise.0));
        assert_eq!(format!("{first:?}"), "MacKey(Sha256)");
        let held = |secret: &[u8]| {
            let shared = SHARED.lock().expect("no panic");
            shared.iter().filter(|key| key.secret() == secret).count()
        };
        drop(first);
        assert_eq!(held(b"one secret"), 2, "of two hashes");
        drop(again);
        assert_eq!(held(b"one secret"), 1);
        drop((other, otherwise));
        assert_eq!(held(b"one secret") + held(b"another secret"), 0, "nothing is kept for nobody");
    }
}
