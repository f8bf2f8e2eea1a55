// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions of the header.

use std::collections::BTreeSet;

/// The names of the functions that the header declares: all `qdtls_*` and `q_*` in front of a parenthesis.
pub fn declared_functions() -> BTreeSet<String> {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/include/qdtls_rs.h");
    let code = without_comments(&std::fs::read_to_string(header).expect("the header can be read"));
    let name_in_front = |place| {
        let name = code[..place].rsplit(|c: char| c != '_' && !c.is_ascii_alphanumeric()).next()?;
        (name.starts_with("qdtls_") || name.starts_with("q_")).then(|| name.to_owned())
    };
    let declared: BTreeSet<_> =
        code.match_indices('(').filter_map(|(place, _)| name_in_front(place)).collect();
    assert!(declared.len() > 40, "the header was not understood: {declared:?}");
    declared
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default();
    let others = parts.filter_map(|part| part.split_once("*/").map(|(_, code)| code));
    std::iter::once(first).chain(others).collect()
}
