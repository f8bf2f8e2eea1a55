// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static programs with musl as C library, as on Alpine Linux: the crate's tests, and a C program that uses it.
//!
//! Debian has musl, but for it neither Rust's standard library nor OpenSSL. Both are compiled from source: the first as
//! in portability.rs, the other by openssl-sys. There is no C++ library either, so the tests of the C ABI cannot run.

use crate::check::sources;
use crate::debian::chroot::Chroot;
use crate::system::{Cmd, Run, workspace};
use anyhow::{Result, ensure};
use std::fs;
use std::path::PathBuf;

/// In addition to a compiler. LLVM's library for unwinding, because that of Debian's gcc needs glibc.
pub const PACKAGES: [&str; 5] = ["libunwind-19-dev", "make", "musl-tools", "perl", "rust-src"];

const TARGET: &str = "x86_64-unknown-linux-musl";

/// Debian's musl-gcc has no start-up object for programs that can be anywhere in memory.
const RUSTFLAGS: &str =
    "-Clink-self-contained=no -Crelocation-model=static -L/usr/lib/llvm-19/lib -Clink-arg=";

/// Compiles the C program with the headers that openssl-sys has installed, runs it, and prints OpenSSL's version.
const PROGRAM: &str = r#"
set -e
openssl=$(find "$1/build" -path '*/openssl-build/install' -print -quit)
cd tests/consumers
musl-gcc -static -std=c11 -Wall -Wextra -Werror -I../../include "-I$openssl/include" main.c handshake.c \
    "$1/libqdtls_rs.a" -L/usr/lib/llvm-19/lib -lunwind "$2" -o "$0"
"$0"
sed -n 's/^Version: //p' "$openssl"/lib*/pkgconfig/libcrypto.pc
"#;

/// What musl lacks of glibc's functions.
const LACKING: &str = "lacking.o";

/// They look up functions of OpenSSL in loaded libraries, of which a static program has none.
const NOT_STATIC: [&str; 6] = [
    "a13_functions_that_fail_or_err_are_replaced_by_hmac",
    "a25_without_the_default_provider_there_are_none",
    "a26_functions_of_other_libraries_are_not_found",
    "a_ready_key_gives_what_hmac_gives",
    "r10_functions_are_found_in_the_library_around_an_address",
    "where_only_fips_is_allowed_there_are_none",
];

/// What ran, and with which OpenSSL.
pub struct Outcome {
    pub passed: u32,
    pub openssl: String,
}

pub fn run(chroot: &Chroot) -> Result<Outcome> {
    fs::create_dir_all(chroot.target.join("musl"))?;
    let lacking = own(LACKING);
    chroot.command("musl-gcc").args(["-c", "xtask/src/debian/musl.c", "-o"]).arg(&lacking).quietly()?;
    let skipped = NOT_STATIC.map(|test| ["--skip", test]).concat();
    let passed = sources::passed(&cargo(chroot, "test").arg("--").args(skipped).show()?)?;
    cargo(chroot, "rustc").args(["--crate-type", "staticlib"]).quietly()?;
    let built = own("crate").join(TARGET).join("debug");
    let output =
        chroot.command("sh").args(["-c", PROGRAM]).args([own("c_program"), built, lacking]).capture()?;
    ensure!(output.starts_with("C: qdtls-rs "), "the static C program prints '{output}'");
    let openssl = output.lines().last().unwrap_or_default().into();
    Ok(Outcome { passed: passed + 1, openssl })
}

fn own(name: &str) -> PathBuf {
    workspace::target("musl").join(name)
}

fn cargo(chroot: &Chroot, verb: &str) -> Cmd<'static> {
    let features = ["--features", "openssl-sys/vendored"];
    let cargo = chroot.command("cargo").args([verb, "--package", "qdtls-rs", "--lib", "--target", TARGET]);
    let standard_library =
        ["-Zbuild-std=std,panic_unwind,test", "-Zbuild-std-features=system-llvm-libunwind"];
    let variable = |name| format!("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_{name}");
    cargo
        .args(features)
        .args(standard_library)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", own("crate"))
        .env(variable("LINKER"), "musl-gcc")
        .env(variable("RUSTFLAGS"), format!("{RUSTFLAGS}{}", own(LACKING).display()))
}
