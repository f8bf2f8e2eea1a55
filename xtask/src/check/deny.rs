// SPDX-License-Identifier: MIT OR Apache-2.0
//! cargo-deny: licences, duplicates and origins of our dependencies, by the rules in `deny.toml`.

use crate::system::process::{capture, cargo, command};
use crate::system::workspace;
use anyhow::{Context, Result};
use std::path::PathBuf;

const VERSION: &str = "0.20.2";

/// Checks what can be checked without a database of advisories, which has to be fetched anew each time.
pub fn check(install: bool) -> Result<()> {
    let deny = find(install)?;
    capture(command(deny).args(["--log-level", "warn", "check", "bans", "licenses", "sources"]))?;
    Ok(())
}

/// The user's own, or else one under `target/`.
fn find(install: bool) -> Result<PathBuf> {
    let on_path = PathBuf::from("cargo-deny");
    if command(&on_path).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Ok(on_path);
    }
    let tools = workspace::target("tools");
    let built = tools.join("bin/cargo-deny");
    if !built.exists() {
        let mut cargo_install = cargo();
        cargo_install
            .args(["install", "--locked", "--root"])
            .arg(&tools)
            .arg(format!("cargo-deny@{VERSION}"));
        anyhow::ensure!(
            install,
            "cargo-deny is missing; run `cargo install --locked cargo-deny@{VERSION}` first"
        );
        eprintln!("installing cargo-deny {VERSION} into {}", tools.display());
        capture(&mut cargo_install).context("cannot install cargo-deny")?;
    }
    Ok(built)
}
