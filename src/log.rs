// SPDX-License-Identifier: MIT OR Apache-2.0
//! Warnings, passed to one process-wide logger that the embedding program sets.
//!
//! A line names the operation, the peer if there is one, and the reason. It never contains a secret.

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, RwLock};
use std::time::Instant;

/// A function that receives one finished line.
pub type Logger = Box<dyn Fn(&str) + Send + Sync>;

static LOGGER: RwLock<Option<Logger>> = RwLock::new(None);

/// Replaces the logger; `None`, the default, discards warnings.
pub fn set_logger(logger: Option<Logger>) {
    *LOGGER.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = logger;
}

/// Writes a warning. For what a peer can cause there is [`Recurring`].
pub fn warn(line: fmt::Arguments<'_>) {
    if let Some(logger) = &*LOGGER.read().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        logger(&line.to_string());
    }
}

/// Returns whether there is a logger.
fn is_read() -> bool {
    LOGGER.read().unwrap_or_else(|poisoned| poisoned.into_inner()).is_some()
}

/// A warning that a peer can cause as often as it likes (A8). It is written at most once a second, with the number of
/// those left out since the last one.
#[derive(Default)]
pub struct Recurring {
    /// The first millisecond at which the next line may be written.
    next: AtomicU64,
    left_out: AtomicU64,
}

impl Recurring {
    const INTERVAL_MS: u64 = 1000;

    /// A warning that has not occurred.
    pub const fn new() -> Self {
        Self { next: AtomicU64::new(0), left_out: AtomicU64::new(0) }
    }

    /// Writes the warning, or counts it.
    #[cold]
    pub fn warn(&self, line: fmt::Arguments<'_>) {
        if !is_read() {
            return;
        }
        match self.admit(milliseconds()) {
            Some(0) => warn(line),
            Some(left_out) => warn(format_args!("{line} ({left_out} more like this)")),
            None => {}
        }
    }

    /// Returns how many warnings were left out if one may be written now; otherwise counts it.
    fn admit(&self, now: u64) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        let then = now.saturating_add(Self::INTERVAL_MS);
        let is_ours = now >= next
            && self.next.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_ours {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.left_out.swap(0, Ordering::Relaxed))
    }
}

/// The time since the first call.
fn milliseconds() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    u64::try_from(FIRST.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a8_a_recurring_warning_is_written_once_a_second() {
        let warning = Recurring::new();
        let times = [0, 0, 1, 999, 1000, 1001, 1999, 5000, 5001, 6000];
        let admitted = times.map(|now| warning.admit(now));
        let expected = [Some(0), None, None, None, Some(3), None, None, Some(2), None, Some(1)];
        assert_eq!(admitted, expected);
    }
}
