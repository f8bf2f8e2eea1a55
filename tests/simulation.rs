// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C++ program of `tests/simulation`: handshakes and data on bad networks, in simulated time.

#[path = "support/compiler.rs"]
mod compiler;
#[path = "support/isolated.rs"]
mod isolated;
#[path = "support/library.rs"]
mod library;
#[path = "support/process.rs"]
mod process;
#[path = "support/program.rs"]
mod program;

use process::run;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SEED: &str = "1";

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let shared = ["cases.cpp", "endpoint.cpp", "pair.cpp", "tls.cpp"];
    PROGRAM.get_or_init(|| program::build("simulation", "simulation", &shared))
}

/// What the program prints.
fn simulate(wrapper: &[&str], first: u32, count: u32) -> String {
    let mut command = Command::new("env");
    command.args(wrapper).arg(program()).args([SEED, &first.to_string(), &count.to_string()]);
    String::from_utf8_lossy(&run(&mut command).stdout).into_owned()
}

/// A case that fails can be run alone: what came before does not change it.
#[test]
fn a_case_depends_on_its_seed_and_index_alone() {
    let digest = |first, count| {
        let output = simulate(&[], first, count);
        let digest = output.lines().find_map(|line| line.strip_prefix("digest ")).expect("a digest");
        u64::from_str_radix(digest, 16).expect("a number")
    };
    assert_eq!(digest(0, 200), (0..200).step_by(20).fold(0, |all, first| all ^ digest(first, 20)));
    assert_ne!(digest(0, 20), digest(20, 20));
}

#[test]
fn valgrind_finds_nothing_in_a_few_dozen() {
    let wrapper = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full"];
    assert!(simulate(&wrapper, 0, 48).ends_with("\n48 cases, 0 defects\n"));
}

#[test]
fn ten_thousand_handshakes_finish_or_say_why_not() {
    let output = simulate(&[], 0, 10_000);
    println!("{output}");
    assert!(output.ends_with("\n10000 cases, 0 defects\n"));
}
