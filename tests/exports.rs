// SPDX-License-Identifier: MIT OR Apache-2.0
//! The static library exports what its header declares, and no other name of its own.

#[path = "support/library.rs"]
mod library;

use std::collections::BTreeSet;
use std::process::Command;

/// The names of the functions that the header declares: all `qdtls_*` and `q_*` in front of a parenthesis.
fn declared_functions() -> BTreeSet<String> {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/include/qdtls_rs.h");
    let code = without_comments(&std::fs::read_to_string(header).expect("the header can be read"));
    let name_in_front = |place| {
        let name = code[..place].rsplit(|c: char| c != '_' && !c.is_ascii_alphanumeric()).next()?;
        (name.starts_with("qdtls_") || name.starts_with("q_")).then(|| name.to_owned())
    };
    code.match_indices('(').filter_map(|(place, _)| name_in_front(place)).collect()
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default();
    let others = parts.filter_map(|part| part.split_once("*/").map(|(_, code)| code));
    std::iter::once(first).chain(others).collect()
}

/// A global symbol that is defined in an object of the archive.
struct Symbol {
    object: String,
    name: String,
    kind: String,
}

/// `nm` of binutils, in POSIX's format: `archive[object]: name kind value size`.
fn symbols() -> Vec<Symbol> {
    let (archive, _) = library::build_static_library();
    let output = Command::new("nm").args(["-A", "-P", "-g", "--defined-only"]).arg(&archive).output();
    let output = output.expect("nm of binutils, which comes with the C compiler, runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let parse = |line: &str| {
        let (place, symbol) = line.split_once("]: ")?;
        let (_, object) = place.rsplit_once('[')?;
        let mut fields = symbol.split(' ').map(String::from);
        Some(Symbol { object: object.to_owned(), name: fields.next()?, kind: fields.next()? })
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(parse).collect()
}

impl Symbol {
    /// Objects of the crate are named after it; the others are its dependencies' and std's, whose names such as
    /// `memcpy` and `rust_eh_personality` are in every static library of Rust's.
    fn is_ours(&self) -> bool {
        self.object.starts_with("qdtls_rs-")
    }

    /// Rust's own schemes (RFC 2603 and the one before) make names that no C program uses by accident.
    fn is_mangled(&self) -> bool {
        self.name.starts_with("_R") || self.name.starts_with("_ZN")
    }

    /// Weak symbols are the compiler's: references for unwinding, and a section for debuggers.
    fn is_weak(&self) -> bool {
        matches!(self.kind.as_str(), "V" | "W" | "v" | "w")
    }
}

#[test]
fn the_exported_names_are_those_of_the_header() {
    let exported: BTreeSet<_> = symbols()
        .into_iter()
        .filter(|symbol| symbol.is_ours() && !symbol.is_mangled() && !symbol.is_weak())
        .map(|symbol| symbol.name)
        .collect();
    let declared = declared_functions();
    assert!(declared.len() > 40, "the header was not understood: {declared:?}");
    assert_eq!(exported, declared);
}

#[test]
fn nobody_else_exports_names_like_ours() {
    let like_ours = |symbol: &Symbol| symbol.name.starts_with("qdtls_") || symbol.name.starts_with("q_");
    let foreign: Vec<_> =
        symbols().into_iter().filter(|symbol| !symbol.is_ours() && like_ours(symbol)).collect();
    assert!(foreign.is_empty(), "{:?}", foreign.iter().map(|symbol| &symbol.name).collect::<Vec<_>>());
}
