// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask hardening`: every finding, how stock does on it, and how we do.
//!
//! The cases of `tst_hardening` run on both plugins; tests of the Rust crate and of the C ABI, which stock has no
//! counterpart for, are found by the ids in their names. The result is `docs/hardening.md`.

use crate::build::plugin::Flavour;
use crate::system::process::{Run, cargo, cmd, shell};
use crate::system::workspace;
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const FINDINGS: &str = "qt-tests/findings.tsv";
const DOCUMENT: &str = "docs/hardening.md";

/// One line of a table of outcomes.
struct Row {
    name: String,
    finding: String,
    outcome: String,
    description: String,
}

/// Runs everything and writes the document.
pub fn write() -> Result<()> {
    let (document, _) = generate()?;
    fs::write(workspace::root().join(DOCUMENT), document)?;
    eprintln!("{DOCUMENT} is up to date");
    Ok(())
}

/// Runs everything, and fails unless ours is right everywhere and the committed document says what was found. Stock may
/// be wrong in another way than it was: what an access to freed memory does is not the same each time.
pub fn check() -> Result<u32> {
    let (document, passed) = generate()?;
    let committed = fs::read_to_string(workspace::root().join(DOCUMENT)).unwrap_or_default();
    let comparable =
        |text: &str| WRONG_WAYS.iter().fold(text.to_owned(), |text, way| text.replace(way, "| not right"));
    ensure!(
        comparable(&document) == comparable(&committed),
        "{DOCUMENT} is not up to date; run `cargo xtask hardening` and commit it"
    );
    Ok(passed)
}

const WRONG_WAYS: [&str; 7] = [
    "| wrong result",
    "| hang",
    "| crash (SIGSEGV)",
    "| crash (SIGABRT)",
    "| crash (SIGBUS)",
    "| crash (SIGILL)",
    "| crash (SIGFPE)",
];

/// Runs the cases on our plugin alone, and returns how many there are. Fails unless all are right.
pub fn check_ours() -> Result<u32> {
    Ok(u32::try_from(our_outcomes()?.len())?)
}

fn our_outcomes() -> Result<Vec<Row>> {
    let ours = outcomes(Flavour::Rust)?;
    let wrong: Vec<_> = ours.iter().filter(|row| row.outcome != "right").collect();
    for row in &wrong {
        eprintln!("{} is {}", row.name, row.outcome);
    }
    ensure!(
        !ours.is_empty() && wrong.is_empty(),
        "{} of {} not right on our plugin",
        wrong.len(),
        ours.len()
    );
    Ok(ours)
}

fn generate() -> Result<(String, u32)> {
    let (ours, stock) = (our_outcomes()?, outcomes(Flavour::Stock)?);
    let other_tests = tests_by_finding()?;
    let mut document = PREAMBLE.to_owned();
    for line in
        fs::read_to_string(workspace::root().join(FINDINGS))?.lines().filter(|line| !line.starts_with('#'))
    {
        let mut columns = line.split('\t');
        let (Some(id), Some(what), elsewhere) = (columns.next(), columns.next(), columns.next()) else {
            bail!("{FINDINGS}: '{line}' has not two or three columns");
        };
        section(&mut document, id, what, &ours, &stock)?;
        let tests = other_tests.get(id).into_iter().flatten().map(|name| format!("`{name}`"));
        let others: Vec<_> = tests.chain(elsewhere.map(String::from)).collect();
        ensure!(!others.is_empty() || ours.iter().any(|row| row.finding == id), "no test names {id}");
        for other in others {
            writeln!(document, "| | | no counterpart | right | {other} |")?;
        }
    }
    Ok((document, u32::try_from(ours.len())?))
}

const PREAMBLE: &str = "\
<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->
# Hardening

What reviews (R) and use (S) found in the C++ file, with a test for each: made by `cargo xtask hardening`, checked by
`cargo xtask test`. Tests with a capital letter are cases of `qt-tests/hardening`, which use Qt's public API and run on
both plugins; the others are tests of the Rust crate or of the C ABI, or steps of `cargo xtask test`, without a
counterpart in stock.

| id | what | stock | ours | test |
|---|---|---|---|---|
";

fn section(document: &mut String, id: &str, what: &str, ours: &[Row], stock: &[Row]) -> Result<()> {
    writeln!(document, "| **{id}** | **{what}** | | | |")?;
    for row in ours.iter().filter(|row| row.finding == id) {
        let same = stock.iter().find(|other| other.name == row.name);
        let stock = same.with_context(|| format!("{} did not run on stock", row.name))?;
        let (description, stock) = (&row.description, in_words(&stock.outcome));
        writeln!(document, "| | {description} | {stock} | right | `{}` |", row.name)?;
    }
    Ok(())
}

fn in_words(outcome: &str) -> String {
    match outcome.split_once(':') {
        Some(("crash", signal)) => format!("crash ({signal})"),
        Some(_) => "wrong result".into(),
        None => outcome.into(),
    }
}

/// Runs the cases on one plugin.
fn outcomes(flavour: Flavour) -> Result<Vec<Row>> {
    let file = workspace::target("qt-tests").join(format!("outcomes-{}.tsv", flavour.name()));
    QtProgram::new("tst_hardening", flavour).run(&["--outcomes", &file.to_string_lossy()])?;
    fs::read_to_string(file)?.lines().map(row).collect()
}

fn row(line: &str) -> Result<Row> {
    let columns: Vec<_> = line.split('\t').map(String::from).collect();
    match <[String; 4]>::try_from(columns) {
        Ok([name, finding, outcome, description]) => Ok(Row { name, finding, outcome, description }),
        Err(_) => bail!("'{line}' is not a row of outcomes"),
    }
}

/// The tests of the Rust crate and the C ABI that name a finding; `cargo test` runs both.
fn tests_by_finding() -> Result<BTreeMap<String, Vec<String>>> {
    let cargo = cargo();
    let listing = cmd!(shell(), "{cargo} test --quiet --package qdtls-rs -- --list").capture()?;
    let rust = listing.lines().filter_map(|line| line.strip_suffix(": test"));
    let mut names: Vec<_> = rust.map(String::from).collect();
    for file in fs::read_dir(workspace::root().join("tests/c-abi"))? {
        names.extend(cases_in(&fs::read_to_string(file?.path())?).map(|name| format!("harness::{name}")));
    }
    names.sort();
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for name in names {
        if let Some(id) = finding_in(&name) {
            found.entry(id).or_default().push(name);
        }
    }
    Ok(found)
}

/// The names of the harness's cases, which are written `CASE(name)` at the beginning of a line.
fn cases_in(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| line.strip_prefix("CASE(")?.strip_suffix(')'))
}

/// `S15` of `cookie::tests::s15_expires`.
fn finding_in(name: &str) -> Option<String> {
    let (id, _) = name.rsplit("::").next()?.split_once('_')?;
    let is_id =
        id.starts_with(['r', 's']) && id.len() > 1 && id[1..].bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| id.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_finding() {
        assert_eq!(finding_in("cookie::tests::s15_expires").as_deref(), Some("S15"));
        assert_eq!(finding_in("r1_bounds").as_deref(), Some("R1"));
        for other in ["records_are_split", "s_x", "sum_1", "rfc_4231"] {
            assert_eq!(finding_in(other), None, "{other}");
        }
    }

    #[test]
    fn cases_are_found_where_they_are_defined() {
        assert_eq!(cases_in("CASE(r6_x)\n{\n    CASE(y)\n").collect::<Vec<_>>(), ["r6_x"]);
    }

    #[test]
    fn outcomes_are_put_in_words() {
        let words = ["right", "hang", "crash:SIGSEGV", "wrong:x: y"].map(in_words);
        assert_eq!(words, ["right", "hang", "crash (SIGSEGV)", "wrong result"]);
        assert!(row("a\tb\tc").is_err());
    }
}
