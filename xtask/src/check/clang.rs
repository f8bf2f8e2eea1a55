// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gcc compiles elsewhere, compiled by clang, with all warnings as errors. The plugins that are linked to OpenSSL
//! are compiled by it too (`Flavour::LINKED`).

use crate::check::sources;
use crate::system::{Run, cargo, cmd, shell};
use anyhow::{Result, ensure};

/// Builds and runs the harness, and returns how many tests passed.
pub fn harness() -> Result<u32> {
    // As in `sources::cargo_test`, so that cargo has nothing to compile again. It would notice another C compiler.
    let (cargo, test) = (cargo(), ["--test", "c_abi", "every_case_passes"]);
    let passed =
        sources::passed(&cmd!(shell(), "{cargo} test --workspace {test...}").env("CXX", "clang++").show()?)?;
    ensure!(passed == 1, "{passed} tests were run, not one");
    Ok(passed)
}

/// Checks the C programs that use the library.
pub fn c_programs() -> Result<()> {
    let mut files = sources::files()?;
    files.retain(|file| file.starts_with("tests/") && file.ends_with(".c"));
    ensure!(!files.is_empty(), "there are no C programs in tests");
    let options = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-Iinclude"];
    cmd!(shell(), "clang {options...} {files...}").quietly()
}
