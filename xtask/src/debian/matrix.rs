// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask matrix [suite...]`: every version of Qt and of OpenSSL that is supported, each in the suite of Debian
//! that has it.

use crate::check::sources;
use crate::debian::chroot::Chroot;
use crate::system::packages;
use crate::system::process::{capture, show};
use crate::test::autotests;
use anyhow::{Context, Result, bail, ensure};
use std::time::Instant;

struct Suite {
    name: &'static str,
    /// Its own rustc is new enough; otherwise the machine's is used.
    has_rust: bool,
    has_qt: bool,
}

const SUITES: [Suite; 4] = [
    Suite { name: "bookworm", has_rust: false, has_qt: true },
    Suite { name: "trixie", has_rust: true, has_qt: true },
    Suite { name: "forky", has_rust: true, has_qt: true },
    Suite { name: "bullseye", has_rust: false, has_qt: false },
];

/// For the tests of the crate and of the C ABI: what compiles and links them, and the memory checker.
const CRATE_TESTS: &[&str] =
    &["ca-certificates", "cmake", "g++", "libssl-dev", "openssl", "pkg-config", "valgrind"];

/// What there is to tell of a suite; empty where it was not reached, or where there is no Qt.
#[derive(Default)]
struct Row {
    suite: &'static str,
    qt: String,
    openssl: String,
    rustc: String,
    crate_tests: String,
    ours: String,
    stock: String,
    hardening: String,
}

const HEADINGS: [&str; 8] =
    ["Debian", "Qt", "OpenSSL", "rustc", "crate and C ABI", "Qt's autotests, ours", "stock", "hardening"];

/// Runs the suites named, or all; prints the table, and fails unless each row is good.
pub fn run(names: &[String], install: bool) -> Result<()> {
    let suites = select(names)?;
    packages::ensure(packages::CHROOT, install)?;
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for suite in suites {
        let start = Instant::now();
        let mut row = Row { suite: suite.name, ..Row::default() };
        if let Err(error) = fill(&mut row, suite) {
            eprintln!("{}: {error:#}", suite.name);
            failures.push(suite.name);
        }
        eprintln!("{}: {:.0} s", suite.name, start.elapsed().as_secs_f32());
        rows.push(row);
    }
    print!("{}", table(&rows));
    ensure!(failures.is_empty(), "not right: {}", failures.join(", "));
    Ok(())
}

fn select(names: &[String]) -> Result<Vec<&'static Suite>> {
    if names.is_empty() {
        return Ok(SUITES.iter().collect());
    }
    let known = || SUITES.map(|suite| suite.name).join(", ");
    let find = |name: &String| SUITES.iter().find(|suite| suite.name == name);
    names.iter().map(|name| find(name).with_context(|| format!("'{name}' is none of {}", known()))).collect()
}

/// Does a suite's work, and notes what comes out as it goes.
fn fill(row: &mut Row, suite: &Suite) -> Result<()> {
    let mut chroot = Chroot::of(suite.name)?;
    let rust: &[&str] = if suite.has_rust { &["cargo"] } else { &[] };
    let qt: &[&str] = if suite.has_qt { packages::PLUGIN } else { &[] };
    chroot.install(&[rust, qt, CRATE_TESTS].concat())?;
    if !suite.has_rust {
        chroot = chroot.with_rust_of_machine()?;
    }
    let rustc = second_word(&capture(chroot.command("rustc").arg("--version"))?)?;
    row.rustc = if suite.has_rust { rustc } else { format!("{rustc} (rustup)") };
    row.openssl = second_word(&capture(chroot.command("openssl").arg("version"))?)?;

    // The tests of the installed package need a newer CMake than a suite without Qt 6 has.
    let which: &[&str] = if suite.has_qt { &[] } else { &["--lib", "--test", "c_abi", "--test", "header"] };
    let tests = ["test", "--locked", "--package", "qdtls-rs"];
    let output = show(chroot.command("cargo").args(tests).args(which))?;
    row.crate_tests = sources::passed(&output)?.to_string();
    if !suite.has_qt {
        return Ok(());
    }
    let output = show(chroot.command("cargo").args(["xtask", "autotests", "--no-install"]))?;
    let summary = autotests::Summary::parse(output.lines().next_back().unwrap_or_default())?;
    row.qt = summary.qt;
    row.ours = summary.ours.to_string();
    row.stock = summary.stock.to_string();
    row.hardening = summary.hardening.to_string();
    ensure!(summary.ours == summary.stock, "Qt's autotests: {} on ours, {} on stock", row.ours, row.stock);
    Ok(())
}

/// The version in `rustc 1.85.1 (...)` and `OpenSSL 3.5.7 ...`.
fn second_word(output: &str) -> Result<String> {
    match output.split_whitespace().nth(1) {
        Some(word) => Ok(word.into()),
        None => bail!("no version in '{output}'"),
    }
}

/// A table in Markdown whose columns are aligned.
fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADINGS.map(String::from), HEADINGS.map(|_| String::new())];
    lines.extend(rows.iter().map(|row| {
        let cells = [
            row.suite,
            &row.qt,
            &row.openssl,
            &row.rustc,
            &row.crate_tests,
            &row.ours,
            &row.stock,
            &row.hardening,
        ];
        cells.map(|cell| if cell.is_empty() { "-".into() } else { cell.into() })
    }));
    let mut widths = [0; HEADINGS.len()];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    lines[1] = widths.map(|width| "-".repeat(width));
    let mut text = String::new();
    for line in lines {
        for (cell, width) in line.iter().zip(widths) {
            text += &format!("| {cell:width$} ");
        }
        text += "|\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_all_or_those_named() {
        assert_eq!(select(&[]).unwrap().len(), SUITES.len());
        assert_eq!(select(&["forky".into()]).unwrap()[0].name, "forky");
        assert!(select(&["forky".into(), "potato".into()]).is_err());
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = Row { suite: "bullseye", openssl: "1.1.1w".into(), ..Row::default() };
        let table = table(&[row]);
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[0].starts_with("| Debian   | Qt | OpenSSL | rustc |"), "{table}");
        assert!(lines[1].starts_with("| -------- | -- | ------- |"), "{table}");
        assert!(lines[2].starts_with("| bullseye | -  | 1.1.1w  | -     |"), "{table}");
    }

    #[test]
    fn versions_are_second_words() {
        assert_eq!(second_word("rustc 1.85.1 (4eb161250 2025-03-15)").unwrap(), "1.85.1");
        assert!(second_word("OpenSSL").is_err());
    }
}
