// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask miri`: the unit tests in Miri, which finds undefined behaviour, except those that call C.

use crate::check::sources;
use crate::system::{Run, cmd, nightly, shell, workspace};
use anyhow::Result;

/// Without OpenSSL the library looks its functions up, and finds none; these tests need them, or the system's.
const CALL_C: [&str; 4] = ["cookie::process_secret::", "cookie::tests::", "os::", "secret::"];

/// The clock and the guide's text are outside of Miri's own world.
const FLAGS: &str = "-Zmiri-strict-provenance -Zmiri-disable-isolation";

pub fn run() -> Result<()> {
    nightly::require("miri", "miri,rust-src", "`cargo test` runs the same tests without it")?;
    let (target_dir, skipped) = (workspace::target("miri"), CALL_C.map(|tests| ["--skip", tests]).concat());
    let package = ["--package", "qdtls-rs", "--lib", "--no-default-features"];
    let command = cmd!(shell(), "cargo miri test {package...} --target-dir {target_dir} -- {skipped...}");
    let output = nightly::with(command).env("MIRIFLAGS", FLAGS).show()?;
    println!("{} passed in Miri", sources::passed(&output)?);
    Ok(())
}
