// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask hardening`: every finding, how stock does on it, and how we do.
//!
//! The cases of `tst_hardening` run on both plugins; tests of the Rust crate and of the C ABI, which stock has no
//! counterpart for, are found by the ids in their names. The result is `docs/hardening.md`.

use crate::build::Flavour;
use crate::check::sources::RUST_API;
use crate::system::{Run, both, cargo, cmd, shell, template, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};
use minijinja::context;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

const FINDINGS: &str = "qt-tests/findings.tsv";
const DOCUMENT: &str = "docs/hardening.md";
/// The letters of findings in the names of tests.
const KINDS: [char; 6] = ['r', 's', 'f', 'a', 'e', 'i'];
/// The folder of the tests of the C ABI.
const HARNESS: &str = "tests/c-abi";

/// A case, and how it ended on a plugin.
#[derive(Deserialize, Serialize)]
struct Case {
    name: String,
    finding: String,
    outcome: String,
    description: String,
}

#[derive(Deserialize, Serialize)]
struct Finding {
    id: String,
    what: String,
    /// Where it is checked if no test can have the id in its name.
    #[serde(default)]
    elsewhere: Option<String>,
}

/// A test of the Rust crate or of the C ABI.
#[derive(Serialize)]
struct Test {
    finding: String,
    name: String,
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
    let ours = outcomes(Flavour::OURS)?;
    check_right(&ours)?;
    Ok(ours.len() as u32)
}

/// Reads what the cases came to that were run elsewhere, and returns how many there are. Fails unless all are right.
pub fn check_file(file: &Path) -> Result<u32> {
    let cases = read(file)?;
    check_right(&cases)?;
    Ok(cases.len() as u32)
}

fn check_right(ours: &[Case]) -> Result<()> {
    let wrong = ours.iter().filter(|case| case.outcome != "right");
    let wrong: Vec<_> = wrong.map(|case| format!("{} is {}", case.name, case.outcome)).collect();
    let all = ours.len();
    ensure!(all > 0 && wrong.is_empty(), "of {all} not right on our plugin: {}", wrong.join("; "));
    Ok(())
}

/// The document, and the number of cases.
fn generate() -> Result<(String, u32)> {
    // The cases wait most of the time.
    let [ours, stock] = both(Flavour::USUAL, outcomes)?;
    check_right(&ours)?;
    let names = |cases: &[Case]| cases.iter().map(|case| case.name.clone()).collect::<Vec<_>>();
    ensure!(names(&ours) == names(&stock), "the cases on stock are others than on ours");
    let findings: Vec<Finding> = workspace::table(&workspace::read(FINDINGS)?)?;
    let tests = tests_with_findings()?;
    for Finding { id, elsewhere, .. } in &findings {
        let has_case = ours.iter().any(|case| case.finding == *id);
        let has_test = elsewhere.is_some() || tests.iter().any(|test| test.finding == *id);
        ensure!(has_case || has_test, "no test names {id}");
    }
    Ok((render(&findings, &stock, &tests)?, ours.len() as u32))
}

/// The document shows the cases on stock; on ours they are right.
fn render(findings: &[Finding], cases: &[Case], tests: &[Test]) -> Result<String> {
    template::render(include_str!("../../templates/hardening.md"), context! { findings, cases, tests })
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
    read(&file)
}

fn read(file: &Path) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = workspace::table(&workspace::read(file)?)?;
    for case in &mut cases {
        case.outcome = in_words(&case.outcome);
    }
    Ok(cases)
}

/// The tests of the Rust crate and the C ABI that name a finding; `cargo test` runs both.
fn tests_with_findings() -> Result<Vec<Test>> {
    let cargo = cargo();
    let mut listing = cmd!(shell(), "{cargo} test --quiet --package qdtls-rs -- --list").capture()?;
    listing.push('\n');
    listing.push_str(&cmd!(shell(), "{cargo} test --quiet {RUST_API...} -- --list").capture()?);
    let rust = listing.lines().filter_map(|line| line.strip_suffix(": test"));
    let mut names: Vec<_> = rust.map(String::from).collect();
    for file in fs::read_dir(workspace::root().join(HARNESS))? {
        names.extend(cases_in(&workspace::read(file?.path())?).map(|name| format!("harness::{name}")));
    }
    names.sort();
    Ok(names.into_iter().filter_map(|name| Some(Test { finding: finding_in(&name)?, name })).collect())
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
        assert_eq!(cases_in("CASE(r6_x)\n{\n    CASE(y)\n").collect::<Vec<_>>(), ["r6_x"]);
        for (name, finding) in
            [("cookie::tests::s15_expires", Some("S15")), ("r1_bounds", Some("R1")), ("a19_x", Some("A19"))]
                .into_iter()
                .chain(["records_are_split", "s_x", "sum_1", "rfc_4231", "b1_x"].map(|name| (name, None)))
        {
            assert_eq!(finding_in(name).as_deref(), finding, "{name}");
        }
    }

    fn document(outcomes: &[&str]) -> String {
        let case = |outcome: &&str| {
            let [name, finding, description] = ["n", "S1", "d"].map(String::from);
            Case { name, finding, outcome: in_words(outcome), description }
        };
        let finding = Finding { id: "S1".into(), what: "w".into(), elsewhere: None };
        let test = Test { finding: "S1".into(), name: "t".into() };
        render(&[finding], &outcomes.iter().map(case).collect::<Vec<_>>(), &[test]).unwrap()
    }

    #[test]
    fn stock_is_summarised_and_may_be_wrong_in_another_way() {
        for (outcomes, stock, tests) in [
            (&["right", "hang", "crash:SIGSEGV", "wrong:x: y"][..], "wrong in 3 of 4, crashes", 5),
            (&["hang"], "wrong in 1 of 1", 2),
            (&["right"], "right in 1", 2),
            (&[], "–", 1),
        ] {
            let document = document(outcomes);
            let row = format!("| [S1](#s1) | w | {stock} | {tests} pass |\n");
            assert!(document.contains(&row) && document.contains("- `t`\n"), "{document}");
        }
        let comparable = |outcome| comparable(&document(&[outcome]));
        assert_eq!(comparable("hang"), comparable("crash:SIGSEGV"));
        assert_eq!(comparable("hang"), comparable("wrong:x: y"));
        assert_ne!(comparable("hang"), comparable("right"));
    }
}
