// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operating system: locked memory, finding the library that contains an address, error numbers.
//!
//! The only module with platform-specific code.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

// `qdtls_check_windows` makes a Linux compiler type-check the Windows code.
#[cfg(any(windows, qdtls_check_windows))]
#[cfg_attr(qdtls_check_windows, allow(dead_code))]
mod windows;
#[cfg(windows)]
use windows as platform;

mod key_log;
mod locked;
mod mapping;
pub mod udp;

pub use key_log::KeyLogFile;
pub use locked::LockedMemory;
#[cfg(all(test, feature = "linked"))]
pub use platform::thread_number;
pub use platform::{Library, at_exit, send_error, socket_address, wall_clock_us};

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn the_clock_counts_microseconds_since_1970() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time after 1970");
        let difference = now.as_micros().abs_diff(wall_clock_us().into());
        assert!(difference < 5_000_000, "{difference}");
    }
}
