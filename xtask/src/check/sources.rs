// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks of the sources, and the Rust tests.

use crate::system::{Run, cargo, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;

const LICENCE: &str = "MIT OR Apache-2.0";

/// Files that cannot have a licence line, or by custom have none.
const WITHOUT_SPDX: [&str; 5] = [".md", ".lock", ".gitignore", "LICENSE-MIT", "LICENSE-APACHE"];
/// Its files are inputs of programs.
const CORPUS: &str = "tests/fuzz/corpus/";

pub fn rustfmt() -> Result<()> {
    let cargo = cargo();
    cmd!(shell(), "{cargo} fmt --all --check").quietly()
}

pub fn clippy() -> Result<()> {
    let cargo = cargo();
    cmd!(shell(), "{cargo} clippy --quiet --workspace --all-targets -- --deny warnings").quietly()?;
    let with_rust_api = ["--package", "qdtls-rs", "--all-targets", "--features", "rust"];
    cmd!(shell(), "{cargo} clippy --quiet {with_rust_api...} -- --deny warnings").quietly()
}

/// Checks the types of the code for Windows with this machine's compiler. `cargo xtask portability` uses a real one.
pub fn windows_types() -> Result<()> {
    let (cargo, target_dir) = (cargo(), workspace::target("check-windows"));
    let for_rustc = ["--cfg", "qdtls_check_windows", "--deny", "warnings", "--emit=metadata"];
    let rustc = cmd!(shell(), "{cargo} rustc --quiet --package qdtls-rs --lib --target-dir {target_dir}");
    rustc.arg("--").args(for_rustc).quietly()
}

/// Builds with the oldest compiler that Cargo.toml allows, and returns 1; or 0, with a note, where rustup is not at hand or
/// cannot install it.
pub fn oldest_rustc() -> Result<u32> {
    let oldest = oldest()?;
    let install = "--profile minimal --no-self-update".split(' ');
    let installed = cmd!(shell(), "rustup toolchain install {oldest} {install...}").outcome();
    if !installed.is_ok_and(|outcome| outcome.status.success()) {
        eprintln!("not tried with rustc {oldest}, which rustup cannot install here");
        return Ok(0);
    }
    let target_dir = workspace::target("oldest-rustc");
    let check = cmd!(shell(), "cargo check --quiet --lib --features rust --target-dir {target_dir}");
    check.env("RUSTUP_TOOLCHAIN", &oldest).env_remove("CARGO").env_remove("RUSTC").quietly()?;
    Ok(1)
}

fn oldest() -> Result<String> {
    let manifest = workspace::read("Cargo.toml")?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    Ok(line.context("Cargo.toml names no rust-version")?.trim_matches('"').to_owned())
}

/// Every file names its licence in its first line, or in its second after a `#!`; JSON, which has no comments, in the
/// field `license`.
pub fn spdx() -> Result<()> {
    let mut files = files()?;
    files.retain(|file| !WITHOUT_SPDX.iter().any(|end| file.ends_with(end)) && !file.starts_with(CORPUS));
    ensure!(!files.is_empty(), "git knows no source files here");
    for file in files {
        let content = fs::read(workspace::root().join(&file)).with_context(|| file.clone())?;
        let content = String::from_utf8_lossy(&content);
        let has_licence = if file.ends_with(".json") { has_field(&content) } else { has_line(&content) };
        ensure!(has_licence, "{file} does not name the licence {LICENCE}");
    }
    Ok(())
}

fn has_line(text: &str) -> bool {
    let line = format!("SPDX-License-Identifier: {LICENCE}");
    text.lines().take(2).any(|first| first.contains(&line))
}

fn has_field(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value["license"] == LICENCE)
}

pub fn clang_format() -> Result<()> {
    let mut files = files()?;
    files.retain(|file| [".c", ".h", ".cpp"].iter().any(|end| file.ends_with(end)));
    ensure!(!files.is_empty(), "git knows no C or C++ files here");
    cmd!(shell(), "clang-format --dry-run --Werror {files...}").quietly()
}

/// Runs the Rust tests and returns how many passed.
pub fn cargo_test() -> Result<u32> {
    let cargo = cargo();
    let passed = passed(&cmd!(shell(), "{cargo} test --workspace").show()?)?;
    ensure!(passed > 0, "no Rust test was run");
    Ok(passed)
}

/// The arguments of `cargo test` for the tests of the Rust API, which is a feature.
pub const RUST_API: [&str; 6] = ["--package", "qdtls-rs", "--features", "rust", "--test", "rust_api"];

/// Runs the tests of the Rust API and returns how many passed.
pub fn rust_api() -> Result<u32> {
    let cargo = cargo();
    let passed = passed(&cmd!(shell(), "{cargo} test {RUST_API...}").show()?)?;
    ensure!(passed > 0, "no test of the Rust API was run");
    Ok(passed)
}

/// The repository's files, tracked or about to be.
pub fn files() -> Result<Vec<String>> {
    let listing = ["-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let output = cmd!(shell(), "git ls-files {listing...}").capture()?;
    let files = output.split_terminator('\0').filter(|file| workspace::root().join(file).exists());
    Ok(files.map(String::from).collect())
}

/// Adds up the lines `test result: ok. 3 passed; 0 failed; 0 ignored; ...` of all test programs.
pub fn passed(output: &str) -> Result<u32> {
    let lines = output.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    let number = |line: &str| line.split_once(" passed").and_then(|(number, _)| number.parse::<u32>().ok());
    lines.map(|line| number(line).with_context(|| format!("cannot read '{line}'"))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_named_in_a_line_or_in_a_field() {
        let line = format!("# SPDX-License-Identifier: {LICENCE}\n");
        assert!(has_line(&line) && has_line(&format!("#!/bin/sh\n{line}")));
        assert!(!has_line(&format!("\n\n{line}")) && !has_line("# SPDX-License-Identifier: MIT\n"));
        assert!(has_field(&format!("{{\"license\": \"{LICENCE}\"}}")));
        assert!(!has_field("{\"license\": \"MIT\"}") && !has_field("{}") && !has_field(&line));
    }

    #[test]
    fn passed_tests_are_added_up_without_the_ignored() {
        let output =
            "test result: ok. 3 passed; 0 failed; 2 ignored\n\ntest result: ok. 4 passed; 0 failed\n";
        assert_eq!(passed(output).unwrap(), 7);
        assert!(passed("test result: ok. many passed").is_err());
    }
}
