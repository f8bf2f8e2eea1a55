// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that must not leak: kept in memory that is locked, left out of core dumps, and wiped when dropped.

use crate::error::Result;
use crate::os::LockedMemory;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use subtle::ConstantTimeEq;

/// A secret of at least one byte. Compared in constant time, never printed.
pub struct Secret {
    memory: LockedMemory,
}

/// The user's secrets in use. Thousands of connections given one secret share one locked page.
static SHARED: Mutex<Vec<Weak<Secret>>> = Mutex::new(Vec::new());

impl Secret {
    /// A new secret whose bytes `fill` writes.
    pub fn generate(length: usize, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Self> {
        let mut memory = LockedMemory::new(length)?;
        fill(memory.as_mut_slice())?;
        Ok(Self { memory })
    }

    /// A copy of `bytes`, shared with every other holder of the same secret.
    pub fn shared(bytes: &[u8]) -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        shared.retain(|secret| secret.strong_count() > 0);
        if let Some(secret) = shared.iter().filter_map(Weak::upgrade).find(|secret| secret.equals(bytes)) {
            return Ok(secret);
        }
        let secret = Arc::new(Self::generate(bytes.len(), |memory| {
            memory.copy_from_slice(bytes);
            Ok(())
        })?);
        shared.push(Arc::downgrade(&secret));
        Ok(secret)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        self.memory.as_slice()
    }

    /// Whether these are the same bytes; the time taken tells nothing but the lengths.
    pub fn equals(&self, bytes: &[u8]) -> bool {
        self.expose().ct_eq(bytes).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_secret_is_held_once() {
        let first = Secret::shared(b"one secret").expect("memory");
        let again = Secret::shared(b"one secret").expect("memory");
        let other = Secret::shared(b"another secret").expect("memory");
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(first.expose(), b"one secret");
        assert_eq!(format!("{first:?}"), "Secret");
    }
}
