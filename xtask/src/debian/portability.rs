// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask portability`: the crate checked by rustc and clippy for systems that are not at hand.
//!
//! No archive has a standard library for them that is new enough, so it is compiled from its source, which takes the
//! switch for a nightly compiler, in the suite of Debian whose rustc is the oldest we support. Nothing is linked or run.

use crate::debian::chroot::Chroot;
use crate::system::{Environment, Run, workspace};
use anyhow::{Result, ensure};
use std::time::Instant;

const SUITE: &str = "trixie";

/// rustc with its source, and for Windows what turns lists of symbols into import libraries.
#[rustfmt::skip]
const PACKAGES: &[&str] = &[
    "ca-certificates", "cargo", "rust-clippy", "rust-src", "gcc", "libssl-dev", "pkg-config",
    "binutils-mingw-w64-x86-64",
];

/// Qt's platforms that differ from Linux on x86-64 in what matters here: system, pointer width, byte order, libc.
const TARGETS: [&str; 9] = [
    "x86_64-pc-windows-msvc",
    "x86_64-pc-windows-gnu",
    "aarch64-apple-darwin",
    "aarch64-linux-android",
    "aarch64-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "powerpc64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "x86_64-unknown-freebsd",
];

/// As in Qt's plugin, and as linked to OpenSSL.
const FEATURES: [&str; 2] = ["--no-default-features", "--features=linked"];

/// openssl-sys reads OpenSSL's headers, which say the same on all systems, with the machine's own preprocessor;
/// libraries are not linked, so they may be missing.
const HEADERS: [(&str, &str); 5] = [
    ("OPENSSL_INCLUDE_DIR", "/usr/include"),
    ("OPENSSL_LIB_DIR", "/usr/lib"),
    ("OPENSSL_STATIC", "0"),
    ("TARGET_CC", "cc"),
    ("CRATE_CC_NO_DEFAULTS", "1"),
];

pub fn run(environment: &Environment) -> Result<()> {
    let chroot = Chroot::with(PACKAGES, SUITE, environment)?;
    println!("with {}", chroot.command("rustc").arg("--version").capture()?);
    let mut bad = Vec::new();
    for target in TARGETS {
        let start = Instant::now();
        let checked = FEATURES.iter().try_for_each(|features| check(&chroot, target, features));
        let outcome = if checked.is_ok() { "no warning" } else { "failed" };
        println!("{target:28} {outcome} ({:.0} s)", start.elapsed().as_secs_f32());
        if let Err(error) = checked {
            eprintln!("{error:#}");
            bad.push(target);
        }
    }
    ensure!(bad.is_empty(), "not portable to {}", bad.join(", "));
    Ok(())
}

fn check(chroot: &Chroot, target: &str, features: &str) -> Result<()> {
    let clippy = ["clippy", "--locked", "--package", "qdtls-rs", "--lib", features, "--target", target];
    let cargo = chroot.command("cargo").args(clippy);
    let cargo = cargo.args(["-Zbuild-std=std,panic_unwind", "--", "--deny", "warnings"]);
    let target_dir = workspace::target("portability");
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", target_dir).envs(HEADERS).quietly()
}
