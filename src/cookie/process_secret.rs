// SPDX-License-Identifier: MIT OR Apache-2.0
//! The process-wide cookie secret and its rotation (R9).

#![forbid(unsafe_code)]

use super::slot::{Slot, Use};
use crate::error::{Error, Result, Status};
use crate::openssl::hmac::{Hash, MacKey};
use crate::openssl::random;
use crate::secret::Secret;
use crate::settings::{COOKIE_ROTATION_S, COOKIE_SECRET_SIZE};
use crate::unix_time::UnixTime;
use crate::{log, os};
use std::sync::{Mutex, MutexGuard, Once};

/// The process-wide secrets.
pub struct ProcessSecret {
    /// The newest first; more than one while cookies made with older ones are valid.
    epochs: Vec<Epoch>,
    /// The time when the newest was made.
    since: UnixTime,
    stand_in: Option<Secret>,
}

/// A secret and the first slot whose cookies are made with it.
struct Epoch {
    secret: Secret,
    first: Slot,
    /// The secret, prepared for each hash in use.
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
    /// Cookies of four slots may be valid, the next one's included, so at most that many secrets and the one that the
    /// oldest slot began with are in use.
    const MAX_EPOCHS: usize = 5;

    pub fn lock() -> MutexGuard<'static, Self> {
        PROCESS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Returns the key for cookies of `slot`. Generates a new secret first if rotation is due.
    pub fn at(&mut self, slot: Slot, hash: Hash, now: UnixTime) -> Result<&MacKey> {
        // A clock set back by more than the interval causes a rotation too; otherwise the secret would be used too
        // long.
        if self.epochs.is_empty() || now.0.abs_diff(self.since.0) >= COOKIE_ROTATION_S.get() {
            self.rotate(now)?;
        }
        let oldest = self.epochs.len().saturating_sub(1);
        let place = self.epochs.iter().position(|epoch| epoch.first <= slot).unwrap_or(oldest);
        let epoch =
            self.epochs.get_mut(place).ok_or_else(|| Error::new(Status::Internal, "cookie secret"))?;
        epoch.key(hash)
    }

    /// Generates a new secret for the next slot, for which no cookie was made yet. Cookies of the present slot and
    /// earlier ones keep the secret that they were made with.
    fn rotate(&mut self, now: UnixTime) -> Result<()> {
        let secret = new_secret()?;
        let present = Slot::at(now);
        let next = Slot(present.0.wrapping_add(1));
        let first = if self.epochs.is_empty() { present } else { next };
        // An earlier secret for the next slot has not made a cookie yet.
        self.epochs.retain(|epoch| epoch.first != first);
        self.epochs.insert(0, Epoch { secret, first, keys: Vec::new() });
        self.since = now;
        // Secrets replaced before the oldest slot whose cookies are valid are not needed.
        let oldest = Use::Start.oldest(present);
        let needed =
            self.epochs.iter().position(|epoch| epoch.first <= oldest).map_or(usize::MAX, |last| last + 1);
        self.epochs.truncate(needed.min(Self::MAX_EPOCHS));
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

/// Generates a random secret. If the generator fails, only this call fails, and no partial secret is kept.
fn new_secret() -> Result<Secret> {
    static WIPE_AT_EXIT: Once = Once::new();
    WIPE_AT_EXIT.call_once(|| os::at_exit(forget_process_secret));
    let length = usize::try_from(COOKIE_SECRET_SIZE.get()).unwrap_or(usize::MAX);
    static FAILURE: log::Recurring = log::Recurring::new();
    Secret::generate(length, random::fill)
        .inspect_err(|error| FAILURE.warn(format_args!("cookie secret: {error}")))
}

extern "C" fn forget_process_secret() {
    // If a thread is still using the secret at exit, it is not wiped: waiting could block the exit.
    if let Ok(mut process) = PROCESS.try_lock() {
        *process = ProcessSecret::EMPTY;
    }
}

/// Replaces the process-wide secret. Cookies made before stay valid until they expire.
pub fn rotate(now: UnixTime) -> Result<()> {
    ProcessSecret::lock().rotate(now)
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::*;
    use crate::settings::COOKIE_LIFETIME_S;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn later(seconds: u64) -> UnixTime {
        UnixTime(NOW.0 + seconds)
    }

    #[test]
    fn r9_rotation_overlaps() {
        let mut process = ProcessSecret::EMPTY;
        let bytes = |key: &MacKey| key.secret().to_vec();
        let present = Slot::at(NOW);
        let old = bytes(process.at(present, Hash::Sha256, NOW).expect("a secret"));
        assert_eq!(old.len() as u64, COOKIE_SECRET_SIZE.get());

        let then = later(COOKIE_ROTATION_S.get());
        let slot = Slot::at(then);
        assert_eq!(
            bytes(process.at(slot, Hash::Sha256, then).expect("a secret")),
            old,
            "the slot under way keeps its secret"
        );
        let new = bytes(process.at(Slot(slot.0 + 1), Hash::Sha256, then).expect("a secret"));
        assert_ne!(new, old);
        let next = later(COOKIE_ROTATION_S.get() + COOKIE_LIFETIME_S.get());
        assert_eq!(
            bytes(process.at(slot, Hash::Sha256, next).expect("a secret")),
            old,
            "and is still accepted in the next one"
        );
        assert_eq!(bytes(process.at(Slot::at(next), Hash::Sha256, next).expect("a secret")), new);
    }

    #[test]
    fn r9_rotations_in_successive_slots_overlap() {
        let mut process = ProcessSecret::EMPTY;
        let bytes = |key: &MacKey| key.secret().to_vec();
        let slot = |number: u64| Slot(Slot::at(NOW).0 + number);
        let time = |number: u64| later(number * COOKIE_LIFETIME_S.get());
        for number in 0..6 {
            let made_before = bytes(process.at(slot(number), Hash::Sha256, time(number)).expect("a secret"));
            process.rotate(time(number)).expect("a new secret");
            assert_eq!(
                bytes(process.at(slot(number), Hash::Sha256, time(number)).expect("a secret")),
                made_before
            );
            process.rotate(time(number + 1)).expect("a new secret");
            assert_eq!(
                bytes(process.at(slot(number), Hash::Sha256, time(number + 1)).expect("a secret")),
                made_before
            );
            assert!(process.epochs.len() <= ProcessSecret::MAX_EPOCHS);
        }
    }
}
