// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secrets, in memory that is locked, excluded from core dumps and wiped on drop.

#![forbid(unsafe_code)]

use crate::error::Result;
use crate::log::{self, Kind};
use crate::os::LockedMemory;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use subtle::ConstantTimeEq;

/// A secret of at least one byte. It is compared in constant time and never printed.
pub struct Secret {
    memory: LockedMemory,
}

impl Secret {
    /// Creates a secret whose bytes `fill` writes.
    pub fn generate(length: usize, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Self> {
        let mut memory = LockedMemory::new(length)?;
        static REPORTED: AtomicBool = AtomicBool::new(false);
        let news = memory.shortcoming().filter(|_| !REPORTED.swap(true, Ordering::Relaxed));
        if let Some(shortcoming) = news {
            log::report(Kind::UnlockedSecrets, None, "secrets in memory", format_args!("{shortcoming}"));
        }
        fill(memory.as_mut_slice())?;
        Ok(Self { memory })
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        self.memory.as_slice()
    }

    /// Returns whether `bytes` are the same; the time it takes depends on the lengths only.
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
    fn r5_a_secret_is_compared_and_not_printed() {
        let fill = |memory: &mut [u8]| {
            memory.copy_from_slice(b"one secret");
            Ok(())
        };
        let secret = Secret::generate(10, fill).expect("memory");
        assert!(secret.equals(b"one secret"));
        assert!(!secret.equals(b"two secret"));
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
