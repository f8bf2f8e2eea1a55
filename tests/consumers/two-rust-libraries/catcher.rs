// SPDX-License-Identifier: MIT OR Apache-2.0
//! A library that panics and catches it, as ours would: nothing that C can say makes ours panic.

use std::panic;

/// Whether a panic ends where it is caught.
#[unsafe(no_mangle)]
pub extern "C" fn catcher_catches_panics() -> bool {
    panic::set_hook(Box::new(|_| {}));
    panic::catch_unwind(|| panic!("to be caught")).is_err()
}
