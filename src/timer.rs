// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long to wait before each retransmission (RFC 6347, 4.2.4.1).
//!
//! OpenSSL keeps the timer and asks for its next length; the answer is given here.

#![forbid(unsafe_code)]

use crate::settings;

/// The length of the timer that follows one of `previous` microseconds; 0 asks for the first one.
///
/// Each retransmission doubles the wait, from the initial to the maximum interval of the [`settings`].
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
