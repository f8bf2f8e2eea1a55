// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tests of the crate and of the C ABI.

use crate::build::cmake::{self, define};
use crate::check::sources;
use crate::system::{Run, cargo, shell, workspace};
use crate::windows::mingw::{self, CC, RUST_TARGET};
use anyhow::{Context, Result};

/// Runs the crate's unit tests with OpenSSL's DLLs, and returns how many passed.
pub fn crate_tests() -> Result<u32> {
    eprintln!("running the tests of the crate");
    let variable = |name| format!("CARGO_TARGET_{}_{name}", RUST_TARGET.replace('-', "_").to_uppercase());
    let tests = mingw::in_wine(shell().cmd(cargo()))?;
    let tests = tests.args(["test", "--locked", "--package", "qdtls-rs", "--lib", "--target", RUST_TARGET]);
    let tests = tests
        .env(variable("LINKER"), CC)
        .env(variable("RUNNER"), "wine")
        .env(format!("CC_{RUST_TARGET}"), CC)
        .env("OPENSSL_DIR", mingw::root())
        .env("OPENSSL_STATIC", "0");
    sources::passed(&tests.show()?)
}

/// Runs the harness with the same DLLs, and returns how many cases passed.
pub fn c_abi() -> Result<u32> {
    eprintln!("building and running the harness of the C ABI");
    let build_dir = mingw::folder("c-abi");
    let definitions = [
        define("OPENSSL_ROOT_DIR", mingw::root().display()),
        define("QDTLS_RS_CARGO_TARGET_DIR", mingw::folder("crate").display()),
    ];
    cmake::build("tests/c-abi", &build_dir, &[&mingw::definitions()[..], &definitions].concat())?;
    let header = workspace::root().join("include/qdtls_rs.h");
    let output = mingw::wine(shell(), &build_dir.join("harness.exe"))?.arg(mingw::windows(&header)).show()?;
    let passed =
        output.lines().next_back().and_then(|line| line.trim_end().strip_suffix(" passed, 0 failed"));
    passed.and_then(|number| number.parse().ok()).context("the harness counts no passed cases")
}
