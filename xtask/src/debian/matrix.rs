// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask matrix [suite...]`: every version of Qt and of OpenSSL that is supported, each in the suite of Debian
//! that has it.

use crate::check::sources;
use crate::debian::chroot::{Chroot, check_root};
use crate::system::{Environment, Run, packages};
use crate::test::autotests::Summary;
use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::time::Instant;

pub struct Suite {
    pub name: &'static str,
    /// Its own rustc is new enough; otherwise the machine's is used.
    has_rust: bool,
    has_qt: bool,
}

pub const SUITES: [Suite; 5] = [
    Suite { name: "bookworm", has_rust: false, has_qt: true },
    Suite { name: "trixie", has_rust: true, has_qt: true },
    Suite { name: "forky", has_rust: true, has_qt: true },
    Suite { name: "experimental", has_rust: true, has_qt: true },
    Suite { name: "bullseye", has_rust: false, has_qt: false },
];

/// For the tests of the crate and of the C ABI: what compiles and links them, and the memory checker.
const CRATE_TESTS: &[&str] =
    &["ca-certificates", "cmake", "g++", "libssl-dev", "openssl", "pkg-config", "valgrind"];

const HEADINGS: [&str; 8] =
    ["Debian", "Qt", "OpenSSL", "rustc", "crate and C ABI", "Qt's autotests, ours", "stock", "hardening"];

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
    let [name, qt, openssl, rustc, crate_tests, on_ours, on_stock, hardening] = row;
    *name = suite.name.into();
    let rust: &[&str] = if suite.has_rust { &["cargo"] } else { &[] };
    let plugin: &[&str] = if suite.has_qt { packages::PLUGIN } else { &[] };
    let mut chroot = Chroot::with(&[rust, plugin, CRATE_TESTS].concat(), suite.name, environment)?;
    if !suite.has_rust {
        chroot = chroot.with_rust_of_machine()?;
    }
    *rustc = second_word(&chroot.command("rustc").arg("--version").capture()?)?;
    if !suite.has_rust {
        *rustc += " (rustup)";
    }
    *openssl = second_word(&chroot.command("openssl").arg("version").capture()?)?;

    // The tests of the installed package need a newer CMake than a suite without Qt 6 has.
    let which: &[&str] = if suite.has_qt { &[] } else { &["--lib", "--test", "c_abi", "--test", "header"] };
    let tests = chroot.command("cargo").args(["test", "--locked", "--package", "qdtls-rs"]).args(which);
    *crate_tests = sources::passed(&tests.show()?)?.to_string();
    if !suite.has_qt {
        return Ok(());
    }
    let output = chroot.command("cargo").args(["xtask", "autotests", "--no-install"]).show()?;
    let summary = output.lines().next_back().context("no summary")?;
    let Summary { qt: version, ours, stock, hardening: ours_only } = serde_json::from_str(summary)?;
    *qt = version;
    [*on_ours, *on_stock, *hardening] = [ours, stock, ours_only].map(|number| number.to_string());
    ensure!(ours == stock, "Qt's autotests: {ours} on ours, {stock} on stock");
    Ok(())
}

/// The version in `rustc 1.85.1 (...)` and `OpenSSL 3.5.7 ...`.
fn second_word(output: &str) -> Result<String> {
    let word = output.split_whitespace().nth(1);
    word.map(String::from).with_context(|| format!("no version in '{output}'"))
}
