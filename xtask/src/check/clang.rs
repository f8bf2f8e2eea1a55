// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gcc compiles elsewhere, checked by clang, with all warnings as errors. The plugins that are linked to OpenSSL
//! are compiled by it too (`Flavour::LINKED`).

use crate::check::sources;
use crate::system::{Run, cmd, shell};
use anyhow::{Result, ensure};

/// Checks the harness of the C ABI and the other C and C++ programs that use the library.
pub fn check() -> Result<()> {
    check_language("clang", "-std=c11", ".c")?;
    check_language("clang++", "-std=c++17", ".cpp")
}

fn check_language(compiler: &str, standard: &str, suffix: &str) -> Result<()> {
    let mut files = sources::files()?;
    files.retain(|file| file.starts_with("tests/") && file.ends_with(suffix));
    ensure!(!files.is_empty(), "there is no {suffix} in tests");
    let options = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"];
    let folders = ["-Iinclude", "-Itests/c-abi"];
    cmd!(shell(), "{compiler} {standard} {options...} {folders...} {files...}").quietly()
}
