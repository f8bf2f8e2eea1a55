// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzz targets. Each takes any bytes as its input, and panics if the library does what it must not.
//!
//! `tests/fuzz.rs` runs them with the committed corpus and changes of it; the package in `fuzz` runs them with
//! libFuzzer. A run depends on its input alone (see [`repeatable`]).

mod calls;
mod ends;
mod established;
mod handshake;
mod listener;
mod mutation;
#[allow(dead_code, reason = "the unit tests and the benchmarks use the rest")]
#[path = "../support/pair.rs"]
mod pair;
mod repeatable;
mod values;

use qdtls_rs as library;

/// A name, as in `fuzz/fuzz_targets` and in the corpus, and what runs one input.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

pub const TARGETS: [Target; 5] = [
    Target { name: "listener", run: listener::run },
    Target { name: "handshake", run: handshake::run },
    Target { name: "established", run: established::run },
    Target { name: "calls", run: calls::run },
    Target { name: "values", run: values::run },
];

/// Runs one input of the target of this name.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    (target.run)(input);
}
