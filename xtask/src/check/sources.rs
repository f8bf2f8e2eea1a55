// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks of the sources, and the Rust tests.

use crate::system::process::{capture, cargo, command, show};
use crate::system::{repository, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::fs;

const SPDX: &str = "SPDX-License-Identifier: MIT OR Apache-2.0";

/// Files that cannot have a licence line, or by custom have none.
const WITHOUT_SPDX: [&str; 5] = [".md", ".lock", ".gitignore", "LICENSE-MIT", "LICENSE-APACHE"];

pub fn rustfmt() -> Result<()> {
    capture(cargo().args(["fmt", "--all", "--check"]))?;
    Ok(())
}

pub fn clippy() -> Result<()> {
    let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    capture(cargo().args(arguments))?;
    Ok(())
}

/// A compiler for Windows takes some making (see portability.rs), but the types of the code for it can be checked by this
/// one at once.
pub fn windows_types() -> Result<()> {
    let target_dir = workspace::target("check-windows");
    let arguments = ["rustc", "--quiet", "--package", "qdtls-rs", "--lib"];
    let for_rustc = ["--", "--cfg", "qdtls_check_windows", "--deny", "warnings", "--emit=metadata"];
    capture(cargo().args(arguments).arg("--target-dir").arg(&target_dir).args(for_rustc))?;
    Ok(())
}

/// Every file names its licence in its first line, or in its second after a `#!`.
pub fn spdx() -> Result<()> {
    let files = repository::files()?;
    let mut checked =
        files.iter().filter(|file| !WITHOUT_SPDX.iter().any(|end| file.ends_with(end))).peekable();
    ensure!(checked.peek().is_some(), "git knows no source files here");
    let has_licence = |file: &str| -> Result<bool> {
        let content = fs::read(workspace::root().join(file)).with_context(|| file.to_owned())?;
        Ok(String::from_utf8_lossy(&content).lines().take(2).any(|line| line.contains(SPDX)))
    };
    for file in checked {
        ensure!(has_licence(file)?, "{file} does not begin with `{SPDX}`");
    }
    Ok(())
}

pub fn clang_format() -> Result<()> {
    let mut files = repository::files()?;
    files.retain(|file| [".c", ".h", ".cpp"].iter().any(|end| file.ends_with(end)));
    ensure!(!files.is_empty(), "git knows no C or C++ files here");
    capture(command("clang-format").args(["--dry-run", "--Werror"]).args(files))?;
    Ok(())
}

/// Runs the Rust tests and returns how many passed.
pub fn cargo_test() -> Result<u32> {
    let passed = passed(&show(cargo().args(["test", "--workspace"]))?)?;
    ensure!(passed > 0, "no Rust test was run");
    Ok(passed)
}

/// Adds up the lines `test result: ok. 3 passed; 0 failed; 0 ignored; ...` of all test programs.
pub fn passed(output: &str) -> Result<u32> {
    let mut passed = 0;
    for line in output.lines().filter_map(|line| line.strip_prefix("test result: ok. ")) {
        let number = line.split_once(" passed").and_then(|(number, _)| number.parse::<u32>().ok());
        let Some(number) = number else { bail!("cannot read '{line}'") };
        passed += number;
    }
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_added_up_without_the_ignored() {
        let output =
            "test result: ok. 3 passed; 0 failed; 2 ignored\n\ntest result: ok. 4 passed; 0 failed\n";
        assert_eq!(passed(output).unwrap(), 7);
        assert!(passed("test result: ok. many passed").is_err());
    }
}
