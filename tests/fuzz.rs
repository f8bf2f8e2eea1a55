// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzz targets, with the committed inputs and with changes of them that a seed decides.

#[path = "fuzz/mod.rs"]
mod fuzz;

use fastrand::Rng;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Mutex;

const SEED: u64 = 1;
const MOST_CHANGES: usize = 8;
const LONGEST: usize = 600;

/// Runs the corpus of a target and as many changes of it.
fn fuzz(name: &str, changes: usize) {
    // Some targets ask for settings of the whole process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let corpus = corpus(name);
    for input in &corpus {
        run(name, input);
    }
    let mut random = Rng::with_seed(SEED);
    for _ in 0..changes {
        run(name, &changed(&corpus, &mut random));
    }
}

/// The inputs of a target, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus")).join(name);
    let entries = fs::read_dir(folder).expect("a corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an input").path()).collect();
    assert!(!paths.is_empty(), "the corpus of {name} is empty");
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).expect("an input")).collect()
}

/// The beginning of one input and the end of another, changed in a few places.
fn changed(corpus: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut part = || corpus.get(random.usize(..corpus.len())).cloned().unwrap_or_default();
    let (mut input, end) = (part(), part());
    if random.bool() {
        input.truncate(random.usize(..=input.len()));
        input.extend_from_slice(&end[random.usize(..=end.len())..]);
    }
    for _ in 0..random.usize(..MOST_CHANGES) {
        let place = random.usize(..=input.len());
        match input.get_mut(place) {
            Some(byte) if random.bool() => *byte = random.u8(..),
            _ => input.insert(place, random.u8(..)),
        }
    }
    input.truncate(LONGEST);
    input
}

fn run(name: &str, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| fuzz::run(name, input))) {
        eprintln!("{name}, input {input:02x?}");
        resume_unwind(panic);
    }
}

#[test]
fn listener() {
    fuzz("listener", 20_000);
}

#[test]
fn handshake() {
    fuzz("handshake", 500);
}

#[test]
fn established() {
    fuzz("established", 500);
}

#[test]
fn calls() {
    fuzz("calls", 1000);
}

#[test]
fn values() {
    fuzz("values", 5000);
}
