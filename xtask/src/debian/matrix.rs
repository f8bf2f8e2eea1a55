// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask matrix [suite...]`: every version of Qt and of OpenSSL that is supported, each in the suite of Debian
//! that has it, and other architectures and another C library than the machine's.

use crate::check::sources;
use crate::debian::architecture::{ARM64, ARMHF, Architecture, I386, S390X};
use crate::debian::chroot::{Chroot, check_root};
use crate::debian::musl;
use crate::system::{Cmd, Environment, Run, packages};
use crate::test::autotests::Summary;
use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::time::Instant;

pub struct Suite {
    /// What the command line calls it.
    pub name: &'static str,
    suite: &'static str,
    /// Another one than the machine's.
    architecture: Option<&'static Architecture>,
    /// Its own rustc is new enough; otherwise the machine's is used.
    has_rust: bool,
    has_qt: bool,
    /// In place of glibc.
    is_musl: bool,
}

pub const SUITES: [Suite; 10] = [
    Suite { has_rust: false, ..suite("bookworm") },
    suite("trixie"),
    suite("forky"),
    suite("experimental"),
    Suite { has_rust: false, has_qt: false, ..suite("bullseye") },
    foreign(&ARM64, "trixie"),
    foreign(&I386, "trixie"),
    foreign(&ARMHF, "trixie"),
    foreign(&S390X, "forky"),
    Suite { name: "musl", has_qt: false, is_musl: true, ..suite("trixie") },
];

const fn suite(name: &'static str) -> Suite {
    Suite { name, suite: name, architecture: None, has_rust: true, has_qt: true, is_musl: false }
}

const fn foreign(architecture: &'static Architecture, name: &'static str) -> Suite {
    Suite { name: architecture.debian, architecture: Some(architecture), ..suite(name) }
}

/// For the tests of the crate and of the C ABI: what compiles and links them, and the memory checker.
const CRATE_TESTS: &[&str] =
    &["ca-certificates", "cmake", "g++", "libssl-dev", "openssl", "pkg-config", "valgrind"];

/// Valgrind cannot run under QEMU.
const NOT_EMULATED: [&str; 3] = ["--", "--skip", "valgrind_"];

#[rustfmt::skip]
const HEADINGS: [&str; 9] = [
    "Debian", "architecture", "Qt", "OpenSSL", "rustc", "crate and C ABI", "Qt's autotests, ours", "stock", "hardening",
];

/// The cells below [`HEADINGS`]; a dash where the suite was not reached, or has no Qt.
type Row = [String; HEADINGS.len()];

/// Runs the suites named, or all; prints the table, and fails unless each row is good.
pub fn run(names: &[String], environment: &Environment) -> Result<()> {
    check_root()?;
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(HEADINGS);
    let mut failures = Vec::new();
    for suite in SUITES.iter().filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name))
    {
        let start = Instant::now();
        let mut row = HEADINGS.map(|_| "-".to_owned());
        if let Err(error) = fill(&mut row, suite, environment) {
            eprintln!("{}: {error:#}", suite.name);
            failures.push(suite.name);
        }
        eprintln!("{}: {:.0} s", suite.name, start.elapsed().as_secs_f32());
        table.add_row(row);
    }
    println!("{table}");
    ensure!(failures.is_empty(), "not right: {}", failures.join(", "));
    Ok(())
}

/// Does a suite's work, and fills the row as it goes.
fn fill(row: &mut Row, suite: &Suite, environment: &Environment) -> Result<()> {
    let [name, architecture, qt, openssl, rustc, crate_tests, on_ours, on_stock, hardening] = row;
    *name = suite.suite.into();
    let foreign = suite.architecture;
    *architecture = foreign.map_or("amd64", |foreign| foreign.debian).into();
    let rust: &[&str] = if suite.has_rust { &["cargo"] } else { &[] };
    let plugin: &[&str] = if suite.has_qt { packages::PLUGIN } else { &[] };
    let musl: &[&str] = if suite.is_musl { &musl::PACKAGES } else { &[] };
    let needed = [rust, plugin, CRATE_TESTS, musl].concat();
    let mut chroot = Chroot::for_architecture(&needed, suite.suite, foreign, environment)?;
    if !suite.has_rust {
        chroot = chroot.with_rust_of_machine()?;
    }
    *rustc = second_word(&chroot.command("rustc").arg("--version").capture()?)?;
    if !suite.has_rust {
        *rustc += " (rustup)";
    }
    if suite.is_musl {
        *architecture += ", musl";
        let outcome = musl::run(&chroot)?;
        [*openssl, *crate_tests] = [outcome.openssl, outcome.passed.to_string()];
        return Ok(());
    }
    *openssl = second_word(&chroot.command("openssl").arg("version").capture()?)?;

    *crate_tests = sources::passed(&crate_tests_of(suite, &chroot).show()?)?.to_string();
    if !suite.has_qt {
        return Ok(());
    }
    let output = chroot.command("cargo").args(["xtask", "autotests", "--no-install"]).show()?;
    let summary = output.lines().next_back().context("no summary")?;
    let Summary { qt: version, ours, stock, hardening: ours_only } = serde_json::from_str(summary)?;
    *qt = version;
    [*on_ours, *on_stock, *hardening] = [ours, stock, ours_only].map(|number| number.to_string());
    Ok(())
}

fn crate_tests_of(suite: &Suite, chroot: &Chroot) -> Cmd<'static> {
    let cargo = chroot.command("cargo").args(["test", "--locked", "--no-fail-fast", "--package", "qdtls-rs"]);
    // The tests of the installed package need a newer CMake than a suite without Qt 6 has.
    let which: &[&str] = if suite.has_qt { &[] } else { &["--lib", "--test", "c_abi", "--test", "header"] };
    let target = suite.architecture.iter().flat_map(|other| ["--target", other.rust]);
    let is_emulated = suite.architecture.is_some_and(|other| other.emulator.is_some());
    cargo.args(which).args(target).args(is_emulated.then_some(NOT_EMULATED).into_iter().flatten())
}

/// The version in `rustc 1.85.1 (...)` and `OpenSSL 3.5.7 ...`.
fn second_word(output: &str) -> Result<String> {
    let word = output.split_whitespace().nth(1);
    word.map(String::from).with_context(|| format!("no version in '{output}'"))
}
