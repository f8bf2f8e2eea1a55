// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the CMake files decide before anything is built: what a Qt build is stopped for, and which Rust target is which
//! toolchain's.

use crate::system::process::{capture, command, name};
use crate::system::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// What the configure line has besides the hook, and what CMake then says.
const REFUSALS: [(&[&str], &str); 5] = [
    (&["-DVERSION=6.5.3"], "qdtls-rs: not known to work with Qt 6.5.3, but with 6.4.2,"),
    (&["-DVERSION=6.5.3", "-DQDTLS_RS_ALLOW_UNTESTED_QT=ON"], "qdtls-rs: Qt 6.5.3 is untested;"),
    (&["-DVERSION=6.4.3"], "qdtls-rs: tested with Qt 6.4.2; this is 6.4.3"),
    (&["-DVERSION=6.4.2", "-DFEATURES=dtls"], "qdtls-rs: this Qt is configured without its openssl feature"),
    (&["-DVERSION=6.4.2", "-DFEATURES=openssl"], "qdtls-rs: this Qt is configured without its dtls feature"),
];

/// Tries each on a stand-in for qtbase, and so the lack of Rust; returns how many there were.
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

fn check_refusal(configure: &mut Command, expected: &str) -> Result<()> {
    let output = configure.output().context("cannot run cmake")?;
    ensure!(!output.status.success(), "{} succeeds on what is no Qt", name(configure));
    // CMake breaks the lines of its errors.
    let errors = String::from_utf8_lossy(&output.stderr);
    let errors = errors.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(errors.contains(expected), "{} says: {errors}", name(configure));
    Ok(())
}

/// Runs the table of toolchains, and returns how many are in it.
pub fn check_rust_targets() -> Result<u32> {
    let script = workspace::root().join("cmake/tests/rust_target.cmake");
    let output = command("cmake").arg("-P").arg(script).output().context("cannot run cmake")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{text}");
    let passed = text.trim().strip_suffix(" passed").and_then(|number| number.parse().ok());
    passed.with_context(|| format!("no number of passed tests in '{text}'"))
}

/// CMake on the stand-in, in an empty folder.
fn configure() -> Result<Command> {
    let build_dir = workspace::target("refusals/build");
    if build_dir.exists() {
        fs::remove_dir_all(&build_dir)?;
    }
    let cmake_dir = workspace::root().join("cmake");
    let mut cmake = command(path_of("cmake")?);
    cmake.args(["-G", "Ninja", "-S"]).arg(cmake_dir.join("tests/qtbase")).arg("-B").arg(build_dir);
    cmake.arg(format!("-DCMAKE_PROJECT_QtBase_INCLUDE={}", cmake_dir.join("qt-build.cmake").display()));
    Ok(cmake)
}

/// Leaves CMake no program but ninja to find.
fn without_programs(cmake: &mut Command) -> Result<&mut Command> {
    cmake.arg(format!("-DCMAKE_MAKE_PROGRAM={}", path_of("ninja")?));
    cmake.arg("-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF");
    Ok(cmake.env("PATH", "/nonexistent").env("HOME", "/nonexistent").env_remove("CARGO_HOME"))
}

fn path_of(program: &str) -> Result<String> {
    Ok(capture(command("sh").args(["-c", &format!("command -v {program}")]))?.trim().into())
}

/// A program that says of itself what Debian 12's rustc says.
fn old_rustc() -> Result<String> {
    let folder = workspace::target("refusals");
    fs::create_dir_all(&folder)?;
    let file = folder.join("rustc");
    fs::write(
        &file,
        "#!/bin/sh\nprintf 'rustc 1.63.0\\nrelease: 1.63.0\\nhost: x86_64-unknown-linux-gnu\\n'\n",
    )?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    Ok(file.to_string_lossy().into_owned())
}
