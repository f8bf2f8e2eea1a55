// SPDX-License-Identifier: MIT OR Apache-2.0
//! The texts that the sources report, and the tables of documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The files below a folder with an extension, without the tests of Rust's.
pub fn sources(folder: &Path, extension: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            let is_tests = path.ends_with("tests");
            texts.extend(if is_tests { Vec::new() } else { sources(&path, extension) });
        } else if path.extension().is_some_and(|own| own == extension) && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).expect("a source");
            texts.push(text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned());
        }
    }
    texts
}

/// What stands in the parentheses behind each occurrence of a name.
pub fn arguments<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(name).filter_map(move |(place, _)| {
        let rest = &text[place + name.len()..];
        let mut depth = 1;
        let mut is_quoted = false;
        let mut last = ' ';
        let end = rest.find(|c| {
            is_quoted ^= c == '"' && last != '\\';
            depth += i32::from(!is_quoted && c == '(') - i32::from(!is_quoted && c == ')');
            last = c;
            depth == 0
        });
        end.map(|end| &rest[..end])
    })
}

/// The contents of the string literals.
pub fn literals(code: &str) -> Vec<&str> {
    code.split('"').skip(1).step_by(2).collect()
}

/// A text with an ellipsis for each placeholder of Rust's or of printf's.
pub fn with_ellipses(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('}').map_or(part, |(_, behind)| behind));
    rest.fold(first, |text, part| text + "…" + part).replace("%s", "…")
}

/// The cells of the rows of the table with this head.
pub fn table(document: &str, head: &str) -> Vec<Vec<String>> {
    let (_, behind) = document.split_once(head).unwrap_or_else(|| panic!("no table {head}"));
    let rows = behind.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// The texts in backquotes.
pub fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(String::from).collect()
}
