// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed C header, which the crate's build script generates anew in every build.

use crate::system::process::{capture, cargo};
use crate::system::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;

const HEADER: &str = "include/qdtls_rs.h";

pub fn write() -> Result<()> {
    fs::copy(generated()?, committed()).with_context(|| format!("cannot write {HEADER}"))?;
    Ok(())
}

pub fn check() -> Result<()> {
    let current = fs::read(committed()).unwrap_or_default();
    if current != fs::read(generated()?)? {
        bail!("{HEADER} is not what the Rust sources say; run `cargo xtask header`");
    }
    Ok(())
}

fn committed() -> PathBuf {
    workspace::root().join(HEADER)
}

fn generated() -> Result<PathBuf> {
    let messages =
        capture(cargo().args(["check", "--quiet", "--package", "qdtls-rs", "--message-format=json"]))?;
    let header = out_dir(&messages).context("the build script of qdtls-rs did not run")?.join("qdtls_rs.h");
    if !header.exists() {
        bail!("the build script of qdtls-rs made no header; `cargo check` says why");
    }
    Ok(header)
}

/// The output folder of the one build script in this workspace; those of dependencies come from a registry.
fn out_dir(messages: &str) -> Option<PathBuf> {
    let of_workspace = |message: &&str| message.contains(r#""package_id":"path+file:"#);
    let message =
        messages.lines().filter(|line| line.contains("build-script-executed")).find(of_workspace)?;
    let (_, rest) = message.split_once(r#""out_dir":""#)?;
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
