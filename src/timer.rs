// SPDX-License-Identifier: MIT OR Apache-2.0
//! The retransmission timeout (RFC 6347, 4.2.4.1).
//!
//! OpenSSL runs the timer and calls this module for its next interval.

#![forbid(unsafe_code)]

use crate::settings;
use std::time::Duration;

/// Returns the interval that follows one of `previous` microseconds, or the first interval for 0.
///
/// Each retransmission doubles the interval, from the initial to the maximum value of the [`settings`].
pub fn next_interval_us(previous: u32) -> u32 {
    let initial = milliseconds(settings::TIMEOUT_INITIAL_MS.get());
    let maximum = milliseconds(settings::TIMEOUT_MAX_MS.get()).max(initial);
    match previous {
        0 => initial,
        _ => previous.saturating_mul(2).min(maximum),
    }
}

/// Returns whether the system's clock was set back while a timer of `interval_us` was running: OpenSSL, which uses that
/// clock, then still waits for `left`. To wait for no longer than the longest interval is left to OpenSSL (F11).
pub fn was_set_back(left: Duration, interval_us: u32) -> bool {
    let longest = milliseconds(settings::TIMEOUT_MAX_MS.get()).max(interval_us);
    left > Duration::from_micros(longest.into())
}

fn milliseconds(ms: u64) -> u32 {
    u32::try_from(ms.saturating_mul(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_doubles_from_one_second_to_sixty() {
        let mut seconds = Vec::new();
        let mut interval = 0;
        for _ in 0..8 {
            interval = next_interval_us(interval);
            seconds.push(interval / 1_000_000);
        }
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn f11_a_wait_beyond_every_interval_is_noticed() {
        let waits =
            |seconds, interval_s: u32| was_set_back(Duration::from_secs(seconds), interval_s * 1_000_000);
        assert!(!waits(1, 1) && !waits(60, 1) && !waits(300, 300));
        assert!(waits(61, 1) && waits(3600, 60) && waits(301, 300));
    }
}
