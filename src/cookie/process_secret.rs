// SPDX-License-Identifier: MIT OR Apache-2.0
//! The process-wide cookie secret and its rotation (R9).
//!
//! A cookie names the secret that made it by a number of four bits. The newest makes all cookies; the others only check
//! those that are still valid. Rotation follows the process's monotonic clock: the program's own clocks, which may
//! disagree, tell nothing but when a cookie was made (A11).

#![forbid(unsafe_code)]

use super::moment;
use crate::error::{Error, Result, Status};
use crate::log::{self, Kind};
use crate::openssl::hmac::{Hash, MacKey};
use crate::openssl::random;
use crate::secret::Secret;
use crate::settings::{COOKIE_LIFETIME_S, COOKIE_ROTATION_S, COOKIE_SECRET_SIZE};
use crate::{memory, os};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

/// The number of a secret, which wraps. 0 for a user's secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number(u8);

impl Number {
    /// The numbers in use, and so the most secrets that are kept.
    const COUNT: u8 = 16;

    /// The number with these four bits.
    pub fn new(bits: u8) -> Self {
        Self(bits % Self::COUNT)
    }

    /// The four bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    fn next(self) -> Self {
        Self::new(self.0.wrapping_add(1))
    }
}

/// The process-wide secrets.
pub struct ProcessSecret {
    /// The newest first; more than one while cookies made with older ones are valid.
    epochs: Vec<Epoch>,
    stand_in: Option<Secret>,
}

/// A secret, and when it was made.
struct Epoch {
    number: Number,
    made: Instant,
    secret: Secret,
    /// The secret, prepared for each hash in use.
    keys: Vec<MacKey>,
}

impl Epoch {
    fn key(&mut self, hash: Hash) -> Result<&MacKey> {
        let place = match self.keys.iter().position(|key| key.hash() == hash) {
            Some(place) => place,
            None => {
                let key = MacKey::new(hash, self.secret.expose())?;
                memory::push(&mut self.keys, key).ok_or_else(no_memory)?;
                self.keys.len() - 1
            }
        };
        self.keys.get(place).ok_or_else(|| Error::new(Status::Internal, "cookie secret"))
    }
}

static PROCESS: Mutex<ProcessSecret> = Mutex::new(ProcessSecret::EMPTY);

impl ProcessSecret {
    const EMPTY: Self = Self { epochs: Vec::new(), stand_in: None };

    /// Runs `work` under the lock, and writes its warnings afterwards (A9).
    pub fn with<R>(work: impl FnOnce(&mut Self) -> R) -> R {
        log::outside_locks(|| work(&mut PROCESS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())))
    }

    /// Returns the key that makes cookies at `now`, and its number. Generates a new secret first if rotation is due.
    pub fn newest(&mut self, hash: Hash, now: Instant) -> Result<(Number, &MacKey)> {
        if self.newest_number(now).is_none() {
            self.rotate(now)?;
        }
        let epoch = self.epochs.first_mut().ok_or_else(|| Error::new(Status::Internal, "cookie secret"))?;
        Ok((epoch.number, epoch.key(hash)?))
    }

    /// The number of the newest secret; `None` if its rotation is due. That is at most once in a cookie's lifetime, so that
    /// the numbers suffice.
    fn newest_number(&self, now: Instant) -> Option<Number> {
        let interval = Duration::from_secs(COOKIE_ROTATION_S.get().max(COOKIE_LIFETIME_S.get()));
        let is_fresh = |epoch: &&Epoch| now.saturating_duration_since(epoch.made) < interval;
        self.epochs.first().filter(is_fresh).map(|epoch| epoch.number)
    }

    /// Returns the key with this number, if cookies that it made may be valid.
    pub fn numbered(&mut self, number: Number, hash: Hash) -> Result<Option<&MacKey>> {
        let epoch = self.epochs.iter_mut().find(|epoch| epoch.number == number);
        epoch.map(|epoch| epoch.key(hash)).transpose()
    }

    /// Generates a new secret. Drops those whose cookies have expired.
    fn rotate(&mut self, now: Instant) -> Result<()> {
        let secret = new_secret()?;
        let is_replaced = |epoch: &Epoch| now.saturating_duration_since(epoch.made) > moment::longest_use();
        // A secret's last cookies are as old as the secret after it.
        let needed = self.epochs.iter().position(is_replaced).map_or(usize::MAX, |newest| newest + 1);
        self.epochs.truncate(needed.min(usize::from(Number::COUNT) - 1));
        let number = self.epochs.first().map_or(Number::default(), |epoch| epoch.number.next());
        let epoch = Epoch { number, made: now, secret, keys: Vec::new() };
        memory::insert(&mut self.epochs, 0, epoch).ok_or_else(no_memory)
    }

    /// Generates a new secret and drops all others.
    fn revoke(&mut self, now: Instant) -> Result<()> {
        self.rotate(now)?;
        self.epochs.truncate(1);
        Ok(())
    }

    pub fn stand_in(&mut self) -> Result<&Secret> {
        match self.stand_in {
            Some(ref secret) => Ok(secret),
            None => Ok(self.stand_in.insert(new_secret()?)),
        }
    }

    pub fn is_stand_in(&self, secret: &[u8]) -> bool {
        self.stand_in.as_ref().is_some_and(|stand_in| stand_in.equals(secret))
    }
}

fn no_memory() -> Error {
    Error::no_memory("cookie secret")
}

/// Generates a random secret. If the generator fails, only this call fails, and no partial secret is kept.
fn new_secret() -> Result<Secret> {
    static WIPE_AT_EXIT: Once = Once::new();
    WIPE_AT_EXIT.call_once(|| os::at_exit(forget_process_secret));
    let length = usize::try_from(COOKIE_SECRET_SIZE.get()).unwrap_or(usize::MAX);
    Secret::generate(length, random::fill).inspect_err(|error| {
        log::report(Kind::CookieSecretFailed, None, "cookie secret", format_args!("{error}"));
    })
}

extern "C" fn forget_process_secret() {
    // If a thread is still using the secret at exit, it is not wiped: waiting could block the exit.
    if let Ok(mut process) = PROCESS.try_lock() {
        *process = ProcessSecret::EMPTY;
    }
}

/// Replaces the process-wide secret. Cookies made before stay valid until they expire.
pub fn rotate() -> Result<()> {
    ProcessSecret::with(|process| process.rotate(Instant::now()))
}

/// Replaces the process-wide secret, for one that has leaked: no cookie made before is valid (A18).
pub fn revoke() -> Result<()> {
    ProcessSecret::with(|process| process.revoke(Instant::now()))
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::*;

    fn newest(process: &mut ProcessSecret, now: Instant) -> (Number, Vec<u8>) {
        let (number, key) = process.newest(Hash::Sha256, now).expect("a secret");
        (number, key.secret().to_vec())
    }

    fn numbered(process: &mut ProcessSecret, number: Number) -> Option<Vec<u8>> {
        process.numbered(number, Hash::Sha256).expect("a key").map(|key| key.secret().to_vec())
    }

    fn seconds(setting: &crate::settings::Setting) -> Duration {
        Duration::from_secs(setting.get())
    }

    #[test]
    fn r9_rotation_overlaps() {
        let mut process = ProcessSecret::EMPTY;
        let start = Instant::now();
        let (first, old) = newest(&mut process, start);
        assert_eq!(old.len() as u64, COOKIE_SECRET_SIZE.get());
        let almost = start + seconds(&COOKIE_ROTATION_S) - Duration::from_secs(1);
        assert_eq!(newest(&mut process, almost), (first, old.clone()));

        let then = start + seconds(&COOKIE_ROTATION_S);
        let (second, new) = newest(&mut process, then);
        assert!(second != first && new != old);
        assert_eq!(numbered(&mut process, first), Some(old), "its cookies are still accepted");
        assert_eq!(numbered(&mut process, second), Some(new));
        assert_eq!(numbered(&mut process, second.next()), None);

        newest(&mut process, then + seconds(&COOKIE_ROTATION_S));
        newest(&mut process, then + 2 * seconds(&COOKIE_ROTATION_S));
        assert_eq!(numbered(&mut process, first), None, "its cookies have expired");
    }

    #[test]
    fn r9_rotations_in_quick_succession_overlap() {
        let mut process = ProcessSecret::EMPTY;
        let now = Instant::now();
        let (number, secret) = newest(&mut process, now);
        for _ in 1..Number::COUNT {
            process.rotate(now).expect("a new secret");
            assert_eq!(numbered(&mut process, number), Some(secret.clone()));
        }
        process.rotate(now).expect("a new secret");
        assert_ne!(numbered(&mut process, number), Some(secret), "the number is in use again");
        assert_eq!(process.epochs.len(), usize::from(Number::COUNT));
    }

    #[test]
    fn a18_a_revoked_secret_accepts_nothing() {
        let mut process = ProcessSecret::EMPTY;
        let now = Instant::now();
        let (first, _) = newest(&mut process, now);
        process.rotate(now).expect("a new secret");
        let (second, _) = newest(&mut process, now);
        process.revoke(now).expect("a new secret");
        assert_eq!([first, second].map(|number| numbered(&mut process, number)), [None, None]);
        assert_eq!(process.epochs.len(), 1);
    }
}
