// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the CMake files decide before anything is built: which Qt builds they refuse, and the Rust target of a toolchain.

use crate::system::process::{Cmd, Run, cmd, shell};
use crate::system::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// What the configure line has in addition to the hook, and CMake's error.
const REFUSALS: [(&[&str], &str); 5] = [
    (&["-DVERSION=6.5.3"], "qdtls-rs: not known to work with Qt 6.5.3, but with 6.4.2,"),
    (&["-DVERSION=6.5.3", "-DQDTLS_RS_ALLOW_UNTESTED_QT=ON"], "qdtls-rs: Qt 6.5.3 is untested;"),
    (&["-DVERSION=6.4.3"], "qdtls-rs: tested with Qt 6.4.2; this is 6.4.3"),
    (&["-DVERSION=6.4.2", "-DFEATURES=dtls"], "qdtls-rs: this Qt is configured without its openssl feature"),
    (&["-DVERSION=6.4.2", "-DFEATURES=openssl"], "qdtls-rs: this Qt is configured without its dtls feature"),
];

/// Tries each on a stand-in for qtbase, and a missing and an old Rust; returns how many there were.
pub fn check_refusals() -> Result<u32> {
    for (arguments, expected) in REFUSALS {
        check_refusal(configure()?.args(arguments), expected)?;
    }
    let version = "-DVERSION=6.4.2";
    check_refusal(without_programs(configure()?.arg(version))?, "qdtls-rs: no cargo found")?;
    let old = format!("-DQDTLS_RS_RUSTC={}", old_rustc()?);
    check_refusal(configure()?.args([version, &old]), "is 1.63.0, but 1.85 or later is needed")?;
    Ok(REFUSALS.len() as u32 + 2)
}

fn check_refusal(configure: Cmd, expected: &str) -> Result<()> {
    let name = configure.to_string();
    let outcome = configure.outcome()?;
    ensure!(!outcome.status.success(), "`{name}` accepts what it must refuse");
    // CMake breaks the lines of its errors.
    let errors = outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(errors.contains(expected), "`{name}` says: {errors}");
    Ok(())
}

/// Runs the table of toolchains, and returns how many are in it.
pub fn check_rust_targets() -> Result<u32> {
    let outcome = cmd!(shell(), "cmake -P cmake/tests/rust_target.cmake").outcome()?;
    let text = outcome.stderr;
    ensure!(outcome.status.success(), "{text}");
    let passed = text.trim().strip_suffix(" passed").and_then(|number| number.parse().ok());
    passed.with_context(|| format!("no number of passed tests in '{text}'"))
}

/// CMake on the stand-in, in an empty folder.
fn configure() -> Result<Cmd<'static>> {
    let build_dir = workspace::target("refusals/build");
    workspace::fresh(&build_dir)?;
    let (cmake, folder) = (path_of("cmake")?, workspace::root().join("cmake"));
    let hook = format!("-DCMAKE_PROJECT_QtBase_INCLUDE={}", folder.join("qt-build.cmake").display());
    Ok(cmd!(shell(), "{cmake} -G Ninja -S {folder}/tests/qtbase -B {build_dir} {hook}"))
}

/// Leaves CMake no program but ninja to find.
fn without_programs(cmake: Cmd<'static>) -> Result<Cmd<'static>> {
    let ninja = format!("-DCMAKE_MAKE_PROGRAM={}", path_of("ninja")?);
    let cmake = cmake.arg(ninja).arg("-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF");
    Ok(cmake.env("PATH", "/nonexistent").env("HOME", "/nonexistent").env_remove("CARGO_HOME"))
}

fn path_of(program: &str) -> Result<String> {
    let line = format!("command -v {program}");
    cmd!(shell(), "sh -c {line}").capture()
}

/// A program that prints what Debian 12's rustc prints as its version.
fn old_rustc() -> Result<String> {
    const SCRIPT: &str =
        "#!/bin/sh\nprintf 'rustc 1.63.0\\nrelease: 1.63.0\\nhost: x86_64-unknown-linux-gnu\\n'\n";
    let file = workspace::target("refusals/rustc");
    fs::write(&file, SCRIPT)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    Ok(file.to_string_lossy().into_owned())
}
