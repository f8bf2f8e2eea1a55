// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the operating system is asked for: locked memory, and the library a given address belongs to.
//!
//! The one place with code for particular platforms.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

mod locked;

pub use locked::LockedMemory;
pub use platform::{Library, Timeval, at_exit, socket_address};
