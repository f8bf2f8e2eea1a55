// SPDX-License-Identifier: MIT OR Apache-2.0
//! A library that panics and catches the panic. It stands in for qdtls-rs, which no call from C makes panic.

#[path = "../../../src/backtrace.rs"]
mod backtrace;

use std::panic;

/// Returns whether a panic was caught.
#[unsafe(no_mangle)]
pub extern "C" fn catcher_catches_panics() -> bool {
    panic::catch_unwind(|| panic!("to be caught")).is_err()
}
