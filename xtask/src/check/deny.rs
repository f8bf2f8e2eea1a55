// SPDX-License-Identifier: MIT OR Apache-2.0
//! cargo-deny: licences, duplicates and origins of our dependencies, by the rules in `deny.toml`.

use crate::system::{Environment, Run, cargo, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;

const VERSION: &str = "0.20.2";

/// Checks all but the advisories, whose database would have to be fetched each time.
pub fn check(environment: &Environment) -> Result<()> {
    let deny = find(environment)?;
    cmd!(shell(), "{deny} --log-level warn check bans licenses sources").quietly()
}

/// The user's own, or else one under `target/`.
fn find(environment: &Environment) -> Result<PathBuf> {
    let version = cmd!(shell(), "cargo-deny --version").outcome();
    if version.is_ok_and(|version| version.status.success()) {
        return Ok("cargo-deny".into());
    }
    let tools = workspace::target("tools");
    let built = tools.join("bin/cargo-deny");
    if !built.exists() {
        let (cargo, package) = (cargo(), format!("cargo-deny@{VERSION}"));
        ensure!(
            !environment.no_install,
            "cargo-deny is missing; run `cargo install --locked {package}` first"
        );
        eprintln!("installing {package} into {}", tools.display());
        // Without optimisation, since it runs once for each time that it is built.
        let install = cmd!(shell(), "{cargo} install --debug --locked --root {tools} {package}");
        install.quietly().context("cannot install cargo-deny")?;
    }
    Ok(built)
}
