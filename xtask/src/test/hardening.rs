// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask hardening`: every finding, how stock does on it, and how we do.
//!
//! The cases of `tst_hardening` run on both plugins; tests of the Rust crate and of the C ABI, which stock has no
//! counterpart for, are found by the ids in their names. The result is `docs/hardening.md`.

use crate::build::Flavour;
use crate::system::workspace::{self, columns};
use crate::system::{Run, cargo, cmd, shell, template};
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, bail, ensure};
use minijinja::{Value, context};
use serde::Serialize;
use std::fs;

const FINDINGS: &str = "qt-tests/findings.tsv";
const DOCUMENT: &str = "docs/hardening.md";
/// The letters of findings in the names of tests.
const KINDS: [char; 5] = ['r', 's', 'f', 'a', 'e'];
/// The folder of the tests of the C ABI.
const HARNESS: &str = "tests/c-abi";

/// A case, and how it ended on a plugin.
#[derive(Clone, Serialize)]
struct Case {
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

/// Runs everything, and fails unless ours is right everywhere and the committed document says what was found.
pub fn check() -> Result<u32> {
    let (document, passed) = generate()?;
    let committed = workspace::read(DOCUMENT).unwrap_or_default();
    let is_current = comparable(&document) == comparable(&committed);
    ensure!(is_current, "{DOCUMENT} is out of date; run `cargo xtask hardening` and commit it");
    Ok(passed)
}

/// Stock may be wrong in another way than it was: an access to freed memory does not always do the same.
fn comparable(document: &str) -> String {
    let ways = ["wrong result", "hang"].map(String::from).into_iter();
    let signals = ["SEGV", "ABRT", "BUS", "ILL", "FPE"].map(|signal| format!("crash (SIG{signal})"));
    let document = document.replace(CRASHES, "");
    ways.chain(signals).fold(document, |text, way| text.replace(&format!("| {way} |"), "| not right |"))
}

/// What the summary of a finding adds if stock crashes.
const CRASHES: &str = ", crashes";

/// Runs the cases on our plugin alone, and returns how many there are. Fails unless all are right.
pub fn check_ours() -> Result<u32> {
    Ok(our_outcomes()?.len() as u32)
}

fn our_outcomes() -> Result<Vec<Case>> {
    let ours = outcomes(Flavour::OURS)?;
    let wrong: Vec<_> = ours.iter().filter(|case| case.outcome != "right").collect();
    for case in &wrong {
        eprintln!("{} is {}", case.name, case.outcome);
    }
    let (wrong, all) = (wrong.len(), ours.len());
    ensure!(all > 0 && wrong == 0, "{wrong} of {all} not right on our plugin");
    Ok(ours)
}

/// The document, and the number of cases.
fn generate() -> Result<(String, u32)> {
    let (ours, stock) = (our_outcomes()?, outcomes(Flavour::STOCK)?);
    let tests = tests_with_findings()?;
    let text = workspace::read(FINDINGS)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let findings = lines.map(|line| finding(line, &ours, &stock, &tests)).collect::<Result<Vec<_>>>()?;
    let document = template::render(include_str!("../../templates/hardening.md"), context! { findings })?;
    Ok((document, ours.len() as u32))
}

/// The part of the document about a finding.
fn finding(line: &str, ours: &[Case], stock: &[Case], tests: &[(String, String)]) -> Result<Value> {
    let mut parts = line.split('\t');
    let (Some(id), Some(what), elsewhere) = (parts.next(), parts.next(), parts.next()) else {
        bail!("{FINDINGS}: '{line}' has one column");
    };
    let on_stock = |ours: &Case| {
        let case = stock.iter().find(|case| case.name == ours.name).cloned();
        case.with_context(|| format!("{} did not run on stock", ours.name))
    };
    let cases = ours.iter().filter(|case| case.finding == id).map(on_stock).collect::<Result<Vec<_>>>()?;
    let named = tests.iter().filter(|(finding, _)| finding == id).map(|(_, name)| format!("`{name}`"));
    let others: Vec<_> = named.chain(elsewhere.map(String::from)).collect();
    let tests = cases.len() + others.len();
    ensure!(tests > 0, "no test names {id}");
    let in_stock = id.starts_with(['R', 'S']);
    // The cases on stock; on ours they are right.
    Ok(context! { id, what, in_stock, stock => summary(&cases), tests, cases, others })
}

fn summary(cases: &[Case]) -> String {
    let wrong = cases.iter().filter(|case| case.outcome != "right").count();
    let crashes = cases.iter().any(|case| case.outcome.starts_with("crash"));
    match (cases.len(), wrong) {
        (0, _) => "–".into(),
        (all, 0) => format!("right in {all}"),
        (all, wrong) => format!("wrong in {wrong} of {all}{}", if crashes { CRASHES } else { "" }),
    }
}

fn in_words(outcome: &str) -> String {
    match outcome.split_once(':') {
        Some(("crash", signal)) => format!("crash ({signal})"),
        Some(_) => "wrong result".into(),
        None => outcome.into(),
    }
}

/// Runs the cases on one plugin.
fn outcomes(flavour: Flavour) -> Result<Vec<Case>> {
    let file = workspace::target(&format!("qt-tests/outcomes-{}.tsv", flavour.name()));
    QtProgram::new("tst_hardening", flavour).run(&["--outcomes", &file.to_string_lossy()])?;
    let case = |line| {
        let [name, finding, outcome, description] = columns(line)?.map(String::from);
        Ok(Case { name, finding, outcome: in_words(&outcome), description })
    };
    workspace::read(file)?.lines().map(case).collect()
}

/// Ids and names of the tests of the Rust crate and the C ABI that name a finding; `cargo test` runs both.
fn tests_with_findings() -> Result<Vec<(String, String)>> {
    let cargo = cargo();
    let listing = cmd!(shell(), "{cargo} test --quiet --package qdtls-rs -- --list").capture()?;
    let rust = listing.lines().filter_map(|line| line.strip_suffix(": test"));
    let mut names: Vec<_> = rust.map(String::from).collect();
    for file in fs::read_dir(workspace::root().join(HARNESS))? {
        names.extend(cases_in(&workspace::read(file?.path())?).map(|name| format!("harness::{name}")));
    }
    names.sort();
    Ok(names.into_iter().filter_map(|name| Some((finding_in(&name)?, name))).collect())
}

/// The names of the harness's cases, which are written `CASE(name)` at the beginning of a line.
fn cases_in(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| line.strip_prefix("CASE(")?.strip_suffix(')'))
}

/// `S15` of `cookie::tests::s15_expires`.
fn finding_in(name: &str) -> Option<String> {
    let (id, _) = name.rsplit("::").next()?.split_once('_')?;
    let number = id.strip_prefix(KINDS)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| id.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_finding() {
        assert_eq!(finding_in("cookie::tests::s15_expires").as_deref(), Some("S15"));
        assert_eq!(finding_in("r1_bounds").as_deref(), Some("R1"));
        assert_eq!(finding_in("a19_timeval").as_deref(), Some("A19"));
        for other in ["records_are_split", "s_x", "sum_1", "rfc_4231", "b1_x"] {
            assert_eq!(finding_in(other), None, "{other}");
        }
    }

    #[test]
    fn cases_are_found_where_they_are_defined() {
        assert_eq!(cases_in("CASE(r6_x)\n{\n    CASE(y)\n").collect::<Vec<_>>(), ["r6_x"]);
    }

    #[test]
    fn stock_is_summarised_and_may_be_wrong_in_another_way() {
        let cases = ["right", "hang", "crash:SIGSEGV", "wrong:x: y"].map(|outcome| {
            let [name, finding, description] = ["n", "S1", "d"].map(String::from);
            Case { name, finding, outcome: in_words(outcome), description }
        });
        assert_eq!(cases[3].outcome, "wrong result");
        let found = ["wrong in 3 of 4, crashes", "wrong in 1 of 1", "right in 1", "–"];
        assert_eq!([&cases[..], &cases[1..2], &cases[..1], &[]].map(summary), found);
        let comparable = |index: usize| {
            comparable(&format!("| d | {} | n |{}", cases[index].outcome, summary(&cases[index..=index])))
        };
        assert_eq!(comparable(1), comparable(2));
        assert_eq!(comparable(2), comparable(3));
        assert_ne!(comparable(0), comparable(1));
    }
}
