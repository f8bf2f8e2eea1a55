// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed C header, which every build of the crate generates.

use crate::system::{Run, cargo, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::Path;

const HEADER: &str = "include/qdtls_rs.h";

pub fn write() -> Result<()> {
    let header = workspace::root().join(HEADER);
    fs::write(header, generate()?).with_context(|| format!("cannot write {HEADER}"))
}

pub fn check() -> Result<()> {
    let committed = workspace::read(HEADER).unwrap_or_default();
    ensure!(committed == generate()?, "{HEADER} is out of date; run `cargo xtask header`");
    Ok(())
}

fn generate() -> Result<String> {
    let cargo = cargo();
    let check = cmd!(shell(), "{cargo} check --quiet --package qdtls-rs --message-format=json").capture()?;
    let messages = check.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    // The workspace has one build script; those of dependencies come from a registry.
    let is_ours = |message: &&Value| {
        let package = message["package_id"].as_str().unwrap_or_default();
        message["reason"] == "build-script-executed" && package.starts_with("path+file:")
    };
    let ours = messages.iter().find(is_ours).context("the build script of qdtls-rs did not run")?;
    let out_dir = Path::new(ours["out_dir"].as_str().context("no output folder")?);
    workspace::read(out_dir.join("qdtls_rs.h")).context("`cargo check` says why there is no header")
}
