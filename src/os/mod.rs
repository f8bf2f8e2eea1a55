// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operating system: locked memory, and the library that an address belongs to.
//!
//! The one place with code for particular platforms.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

// The second name lets a Linux compiler check the types of what only a Windows one uses.
#[cfg(any(windows, qdtls_check_windows))]
#[cfg_attr(qdtls_check_windows, allow(dead_code))]
mod windows;
#[cfg(windows)]
use windows as platform;

mod locked;
mod mapping;

pub use locked::LockedMemory;
pub use platform::{Library, Timeval, at_exit, socket_address};
