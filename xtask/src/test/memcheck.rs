// SPDX-License-Identifier: MIT OR Apache-2.0
//! Valgrind's memcheck on a QtTest program.

use crate::system::workspace;
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, ensure};
use derive_more::Display;
use itertools::Itertools;
use roxmltree::{Document, Node};
use std::collections::BTreeSet;

/// What memcheck found: each entry is the kind and the stack, innermost function first.
#[derive(Debug, Default, Display)]
#[display("{} errors, {} leaks", errors.len(), leaks.len())]
pub struct Findings {
    errors: BTreeSet<String>,
    leaks: BTreeSet<String>,
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
    let name = format!("qt-tests/memcheck-{}-{}.xml", program.flavour.name(), program.name);
    let report = workspace::target(&name);
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
    let mut new = ours.errors.iter().chain(ours.leaks.difference(&stock.leaks)).peekable();
    ensure!(new.peek().is_none(), "memcheck finds on our plugin\n{}", new.format("\n\n"));
    Ok(())
}

/// Reads valgrind's report. One that was cut off is no XML.
fn parse(report: &str) -> Result<Findings> {
    let report = Document::parse(report).context("valgrind's report is not complete")?;
    let mut findings = Findings::default();
    for error in children(report.root_element(), "error") {
        let kind = text(error, "kind").unwrap_or("unknown kind");
        let frames = children(error, "stack").take(1).flat_map(|stack| children(stack, "frame"));
        let functions = frames.map(|frame| {
            let object = text(frame, "obj").and_then(|path| path.rsplit('/').next()).unwrap_or("?");
            format!("\n    {} ({object})", text(frame, "fn").unwrap_or("?"))
        });
        let found = if kind.starts_with("Leak_") { &mut findings.leaks } else { &mut findings.errors };
        found.insert(format!("{kind}{}", functions.collect::<String>()));
    }
    Ok(findings)
}

fn children<'a>(node: Node<'a, 'a>, name: &str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn text<'a>(node: Node<'a, 'a>, name: &str) -> Option<&'a str> {
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
        let stock = parse(&report("Leak_DefinitelyLost", "qt")).unwrap();
        assert!(stock.leaks.contains("Leak_DefinitelyLost\n    qt (libx.so)"));
        for (kind, function, is_right) in [
            ("Leak_DefinitelyLost", "qt", true),
            ("Leak_PossiblyLost", "qt", false),
            ("Leak_DefinitelyLost", "ours", false),
            ("InvalidRead", "qt", false),
        ] {
            let ours = parse(&report(kind, function)).unwrap();
            assert_eq!(compare(&ours, &stock).is_ok(), is_right, "{kind} in {function}");
        }
        assert!(parse(report("InvalidRead", "qt").trim_end_matches("</valgrindoutput>\n")).is_err());
    }
}
