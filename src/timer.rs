// SPDX-License-Identifier: MIT OR Apache-2.0
//! The retransmission timeout (RFC 6347, 4.2.4.1).
//!
//! OpenSSL runs the timer and calls this module for its next interval.

#![forbid(unsafe_code)]

use crate::settings;

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

fn milliseconds(ms: u64) -> u32 {
    u32::try_from(ms.saturating_mul(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::next_interval_us;

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
}
