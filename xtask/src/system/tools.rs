// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs from crates.io that checks use.

use super::{Environment, Run, cargo, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;

/// The user's own, or else one of this version under `target/`.
pub fn find(name: &str, version: &str, environment: &Environment) -> Result<PathBuf> {
    // Not all say it without the name that cargo calls them by.
    let called = name.trim_start_matches("cargo-");
    let users = cmd!(shell(), "{name} {called} --version").outcome();
    if users.is_ok_and(|version| version.status.success()) {
        return Ok(name.into());
    }
    let tools = workspace::target("tools");
    let built = tools.join("bin").join(name);
    if !built.exists() {
        let (cargo, package) = (cargo(), format!("{name}@{version}"));
        ensure!(!environment.no_install, "{name} is missing; run `cargo install --locked {package}` first");
        eprintln!("installing {package} into {}", tools.display());
        // Without optimisation, since it runs once for each time that it is built.
        let install = cmd!(shell(), "{cargo} install --debug --locked --root {tools} {package}");
        install.quietly().with_context(|| format!("cannot install {name}"))?;
    }
    Ok(built)
}
