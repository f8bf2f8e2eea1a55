// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask matrix [suite...]`: every version of Qt and of OpenSSL that is supported, each in the suite of Debian
//! that has it.

use crate::check::sources;
use crate::debian::chroot::Chroot;
use crate::system::{Run, packages};
use crate::test::autotests::Summary;
use anyhow::{Context, Result, ensure};
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

const HEADINGS: [&str; 8] =
    ["Debian", "Qt", "OpenSSL", "rustc", "crate and C ABI", "Qt's autotests, ours", "stock", "hardening"];

/// The cells below [`HEADINGS`]; a dash where the suite was not reached, or has no Qt.
type Row = [String; HEADINGS.len()];

/// Runs the suites named, or all; prints the table, and fails unless each row is good.
pub fn run(names: &[String], install: bool) -> Result<()> {
    let suites = select(names)?;
    packages::ensure(packages::CHROOT, install)?;
    let mut rows = vec![HEADINGS.map(String::from)];
    let mut failures = Vec::new();
    for suite in suites {
        let start = Instant::now();
        let mut row = HEADINGS.map(|_| "-".to_owned());
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

/// Does a suite's work, and fills the row as it goes.
fn fill(row: &mut Row, suite: &Suite) -> Result<()> {
    let [name, qt, openssl, rustc, crate_tests, on_ours, on_stock, hardening] = row;
    *name = suite.name.into();
    let mut chroot = Chroot::of(suite.name)?;
    let rust: &[&str] = if suite.has_rust { &["cargo"] } else { &[] };
    let plugin: &[&str] = if suite.has_qt { packages::PLUGIN } else { &[] };
    chroot.install(&[rust, plugin, CRATE_TESTS].concat())?;
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
    let summary = Summary::parse(output.lines().next_back().unwrap_or_default())?;
    let Summary { ours, stock, .. } = summary;
    *qt = summary.qt;
    [*on_ours, *on_stock, *hardening] = [ours, stock, summary.hardening].map(|number| number.to_string());
    ensure!(ours == stock, "Qt's autotests: {ours} on ours, {stock} on stock");
    Ok(())
}

/// The version in `rustc 1.85.1 (...)` and `OpenSSL 3.5.7 ...`.
fn second_word(output: &str) -> Result<String> {
    let word = output.split_whitespace().nth(1);
    word.map(String::from).with_context(|| format!("no version in '{output}'"))
}

/// A table in Markdown whose columns are aligned, from its headings and its rows.
fn table(rows: &[Row]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; HEADINGS.len()] = std::array::from_fn(width);
    let line = |row: &Row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("| {cell:width$} "));
        cells.collect::<String>() + "|\n"
    };
    let mut lines: Vec<_> = rows.iter().map(line).collect();
    lines.insert(1, line(&widths.map(|width| "-".repeat(width))));
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_and_versions_are_found() {
        assert_eq!(select(&[]).unwrap().len(), SUITES.len());
        assert_eq!(select(&["forky".into()]).unwrap()[0].name, "forky");
        assert!(select(&["forky".into(), "potato".into()]).is_err());
        assert_eq!(second_word("rustc 1.85.1 (4eb161250 2025-03-15)").unwrap(), "1.85.1");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = ["bullseye", "-", "1.1.1w", "-", "-", "-", "-", "-"];
        let table = table(&[HEADINGS, row].map(|row| row.map(String::from)));
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[0].starts_with("| Debian   | Qt | OpenSSL | rustc |"), "{table}");
        assert!(lines[1].starts_with("| -------- | -- | ------- |"), "{table}");
        assert!(lines[2].starts_with("| bullseye | -  | 1.1.1w  | -     |"), "{table}");
    }
}
