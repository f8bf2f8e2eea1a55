// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed C header, which every build of the crate generates.

use crate::system::process::{Run, cargo, cmd, shell};
use crate::system::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;

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
    let check = cmd!(shell(), "{cargo} check --quiet --package qdtls-rs --message-format=json");
    let out_dir = out_dir(&check.capture()?).context("the build script of qdtls-rs did not run")?;
    workspace::read(out_dir.join("qdtls_rs.h")).context("`cargo check` says why there is no header")
}

/// The output folder of the one build script in this workspace; those of dependencies come from a registry.
fn out_dir(messages: &str) -> Option<PathBuf> {
    let of_workspace = |message: &&str| message.contains(r#""package_id":"path+file:"#);
    let mut messages = messages.lines().filter(|line| line.contains("build-script-executed"));
    let (_, rest) = messages.find(of_workspace)?.split_once(r#""out_dir":""#)?;
    Some(PathBuf::from(rest.split_once('"')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_folder_is_that_of_our_build_script() {
        let message = |package, out_dir| {
            format!(r#"{{"reason":"build-script-executed","package_id":"{package}","out_dir":"{out_dir}"}}"#)
        };
        let other = message("registry+https://x#libc@0.2.1", "/t/libc/out");
        let ours = message("path+file:///r#qdtls-rs@0.1.0", "/t/qdtls-rs/out");

        assert_eq!(out_dir(&format!("{other}\n{ours}\n")), Some("/t/qdtls-rs/out".into()));
        assert_eq!(out_dir(&other), None);
    }
}
