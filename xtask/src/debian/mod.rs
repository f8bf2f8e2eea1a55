// SPDX-License-Identifier: MIT OR Apache-2.0
//! Suites of Debian: packages for them, and tests in them.

mod architecture;
mod chroot;
pub use chroot::{Chroot, check_root};
pub mod matrix;
mod musl;
pub mod packages;
pub mod portability;
pub mod rpm;
pub mod source_package;
pub mod wheels;
