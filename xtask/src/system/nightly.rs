// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rust's nightly toolchain, which sanitizers and Miri need.

use super::{Cmd, Run, cmd, shell};
use anyhow::{Result, ensure};

/// Fails unless rustup has it with a program, whose absence `instead` makes up for.
pub fn require(program: &str, component: &str, instead: &str) -> Result<()> {
    let found = cmd!(shell(), "rustup run nightly {program} --version").outcome();
    ensure!(
        found.is_ok_and(|found| found.status.success()),
        "this needs `rustup toolchain install nightly --component {component}`; {instead}"
    );
    Ok(())
}

/// Makes cargo and its commands those of the toolchain.
pub fn with(command: Cmd<'static>) -> Cmd<'static> {
    command.env("RUSTUP_TOOLCHAIN", "nightly").env_remove("CARGO").env_remove("RUSTC")
}
