// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask windows`: OpenSSL, the library, Qt and its plugin cross-built for Windows by mingw-w64, and the tests of
//! the crate, of the C ABI, and Qt's own of its DTLS classes run in Wine.
//!
//! It is done in a suite of Debian, which has mingw-w64 and Wine. Rust's standard library for Windows is rustup's, because
//! no archive has it.

mod harness;
mod mingw;
mod openssl;
mod qt;

use crate::debian::{Chroot, check_root};
use crate::system::{Environment, Run, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use qt::Qt;
use std::path::{Path, PathBuf};

const SUITE: &str = "trixie";

#[rustfmt::skip]
const PACKAGES: &[&str] = &[
    "ca-certificates", "cmake", "dpkg-dev", "g++", "g++-mingw-w64-x86-64-posix", "libssl-dev", "make", "ninja-build",
    "perl", "pkg-config", "qt6-base-dev", "wine", "wine64",
];

/// The oldest Rust that we support.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

const HEADINGS: [&str; 7] = ["Wine", "OpenSSL", "crate", "C ABI", "Qt", "Qt's autotests, ours", "stock"];

/// The cells below [`HEADINGS`]; a dash where it was not reached.
type Row = [String; HEADINGS.len()];

/// Runs everything in the suite; in there it is `cargo xtask windows --here`.
pub fn run(is_here: bool, environment: &Environment) -> Result<()> {
    if is_here {
        return run_here(environment);
    }
    check_root()?;
    let rust = rust()?;
    let chroot = Chroot::with(PACKAGES, SUITE, environment)?.with_rust(rust);
    println!("{}", chroot.command("cargo").args(["xtask", "windows", "--here", "--no-install"]).show()?);
    Ok(())
}

/// rustup's toolchain, in a folder of its own: the user's stay as they are.
fn rust() -> Result<PathBuf> {
    let home = workspace::target("rustup");
    let (target, toolchain) =
        (mingw::RUST_TARGET, ["toolchain", "install", RUST, "--profile", "minimal", "--no-self-update"]);
    let install = cmd!(shell(), "rustup {toolchain...} --target {target}");
    install.env("RUSTUP_HOME", &home).quietly()?;
    let rustc = cmd!(shell(), "rustup which rustc --toolchain {RUST}").env("RUSTUP_HOME", &home).capture()?;
    let folder = Path::new(&rustc).parent().and_then(Path::parent);
    Ok(folder.context("rustup's rustc is in no folder")?.to_owned())
}

/// Prints the table, and fails unless all of it is right.
fn run_here(environment: &Environment) -> Result<()> {
    let mut row = HEADINGS.map(|_| "-".to_owned());
    let outcome = fill(&mut row, environment);
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(HEADINGS).add_row(row);
    println!("{table}");
    outcome
}

/// Fills the row as it goes.
fn fill(row: &mut Row, environment: &Environment) -> Result<()> {
    let [wine, openssl, crate_tests, c_abi, qt, ours, stock] = row;
    *wine = cmd!(shell(), "wine --version").capture()?.trim_start_matches("wine-").into();
    *openssl = openssl::build()?;
    mingw::prepare_wine()?;
    *c_abi = harness::c_abi()?.to_string();
    *crate_tests = harness::crate_tests()?.to_string();
    let built = Qt::build(environment)?;
    *qt = built.version.clone();
    built.build_tests()?;
    let [on_stock, on_ours] = [built.run_tests(true)?, built.run_tests(false)?];
    [*stock, *ours] = [on_stock, on_ours].map(|passed| passed.to_string());
    ensure!(on_ours == on_stock, "Qt's autotests do not pass in the same number on both plugins");
    Ok(())
}
