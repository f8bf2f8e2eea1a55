// SPDX-License-Identifier: MIT OR Apache-2.0
//! A second static library of Rust. It uses the stateful parts of the run time: threads, thread-local variables, random
//! hashes and the allocator.

use std::cell::Cell;
use std::collections::HashMap;
use std::thread;

thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });

/// The decimal digits of all numbers below `end`, and how often this thread has asked for them.
#[unsafe(no_mangle)]
pub extern "C" fn other_count_digits(end: u32) -> u32 {
    CALLS.set(CALLS.get() + 1);
    let texts: HashMap<u32, String> = (0..end).map(|number| (number, number.to_string())).collect();
    let digits = thread::spawn(move || texts.values().map(|text| text.len() as u32).sum::<u32>());
    digits.join().unwrap_or(0) + CALLS.get()
}
