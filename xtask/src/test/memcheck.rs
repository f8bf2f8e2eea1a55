// SPDX-License-Identifier: MIT OR Apache-2.0
//! Valgrind's memcheck on a QtTest program.

use crate::system::workspace;
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, ensure};
use roxmltree::{Document, Node};
use std::collections::BTreeSet;
use std::fmt;

/// What memcheck found: each entry is the kind and the stack, innermost function first.
#[derive(Debug, Default)]
pub struct Findings {
    errors: BTreeSet<String>,
    leaks: BTreeSet<String>,
}

impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} errors, {} leaks", self.errors.len(), self.leaks.len())
    }
}

/// valgrind's memcheck with these options, and without what is known of others' libraries.
pub fn memcheck(options: &[&str]) -> Vec<String> {
    let suppressions = workspace::root().join("qt-tests/autotests/memcheck.supp");
    let own =
        ["valgrind", "--quiet", "--leak-check=full", &format!("--suppressions={}", suppressions.display())];
    own.iter().chain(options).map(|word| (*word).to_owned()).collect()
}

/// Runs the program under memcheck. What is still reachable at the end is no leak: Qt and OpenSSL keep their globals.
pub fn run(program: &QtProgram) -> Result<Findings> {
    let report = format!("qt-tests/memcheck-{}-{}.xml", program.flavour.name(), program.name);
    let report = workspace::target(&report);
    let wrapper = memcheck(&[
        "--show-leak-kinds=definite,indirect,possible",
        "--num-callers=40",
        "--error-limit=no",
        "--xml=yes",
        &format!("--xml-file={}", report.display()),
    ]);
    program.run_under(&wrapper, &[])?;
    parse(&workspace::read(report)?)
}

/// Fails if ours has an error, or a leak that stock does not have.
pub fn compare(ours: &Findings, stock: &Findings) -> Result<()> {
    let new: Vec<_> = ours.errors.iter().chain(ours.leaks.difference(&stock.leaks)).collect();
    for finding in &new {
        eprintln!("{finding}\n");
    }
    ensure!(new.is_empty(), "memcheck finds {} things on our plugin that must not be there", new.len());
    Ok(())
}

/// Reads valgrind's report. One that was cut off is no XML.
fn parse(report: &str) -> Result<Findings> {
    let report = Document::parse(report).context("valgrind's report is not complete")?;
    let mut findings = Findings::default();
    for error in children(report.root_element(), "error") {
        let kind = text(error, "kind").unwrap_or("unknown kind");
        let stack = children(error, "stack").next();
        let frames = stack.into_iter().flat_map(|stack| children(stack, "frame")).map(describe_frame);
        let finding = format!("{kind}\n    {}", frames.collect::<Vec<_>>().join("\n    "));
        let found = if kind.starts_with("Leak_") { &mut findings.leaks } else { &mut findings.errors };
        found.insert(finding);
    }
    Ok(findings)
}

fn describe_frame(frame: Node) -> String {
    let object = text(frame, "obj").and_then(|path| path.rsplit('/').next()).unwrap_or("?");
    format!("{} ({object})", text(frame, "fn").unwrap_or("?"))
}

fn children<'a, 'input>(node: Node<'a, 'input>, name: &str) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    children(node, name).next()?.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(kind: &str, function: &str) -> String {
        let frame = format!("<frame><ip>0x1</ip><obj>/lib/libx.so</obj><fn>{function}</fn></frame>");
        let error = format!("<error><kind>{kind}</kind><stack>{frame}</stack><stack></stack></error>");
        format!("<?xml version=\"1.0\"?>\n<valgrindoutput>{error}</valgrindoutput>\n")
    }

    #[test]
    fn errors_and_new_leaks_fail() {
        let found = |kind, function| parse(&report(kind, function)).unwrap();
        let stock = found("Leak_DefinitelyLost", "qt");
        assert!(stock.leaks.contains("Leak_DefinitelyLost\n    qt (libx.so)"));
        assert!(compare(&stock, &stock).is_ok());
        assert!(compare(&found("Leak_PossiblyLost", "qt"), &stock).is_err());
        assert!(compare(&found("Leak_DefinitelyLost", "ours"), &stock).is_err());
        assert!(compare(&found("InvalidRead", "qt"), &found("InvalidRead", "qt")).is_err());
        assert!(parse(report("InvalidRead", "qt").trim_end_matches("</valgrindoutput>\n")).is_err());
    }
}
