// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secrets in core dumps: `coredump_subject` uses a cookie secret and a pre-shared key, wipes its own copies and dumps
//! core, with the objects that hold the secrets alive and after their end. None of its dumps may hold them.

use crate::build::Flavour;
use crate::system::workspace;
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, ensure};
use itertools::{Itertools, izip};
use memchr::memmem;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// The number of the first pattern; the subject counts on from it.
const SEED: u64 = 20_171_201;

/// What the subject has in memory, in the order of its patterns.
const SUBJECTS: [&str; 4] = ["cookie secret", "pre-shared key", FOUND_CONTROL, EXCLUDED_CONTROL];
/// Bytes that are not hidden: a search that does not find them proves nothing.
const FOUND_CONTROL: &str = "open control";
/// Bytes marked as our secrets are (MADV_DONTDUMP): the kernel would leave them out of a dump.
const EXCLUDED_CONTROL: &str = "excluded control";

/// The bytes as they are, and as HMAC puts them into its pads (RFC 2104).
const FORMS: [(&str, u8); 3] = [("", 0), (" in an inner pad", 0x36), (" in an outer pad", 0x5c)];

/// Searches the dumps of both plugins; returns how many of our dumps are clean. The search has to find on stock what
/// is there.
pub fn check() -> Result<u32> {
    for (kind, ours, stock) in izip!(KINDS, search(Flavour::OURS)?, search(Flavour::STOCK)?) {
        let list = |found: &BTreeSet<_>| {
            if found.is_empty() { "nothing found".into() } else { found.iter().join(", ") }
        };
        println!("    {kind:9} ours: {}; stock: {}", list(&ours), list(&stock));
        ensure!(ours.is_empty(), "our plugin leaves in a core dump: {}", list(&ours));
        ensure!(!stock.is_empty(), "no secret found in the core dump of stock");
    }
    Ok(KINDS.len() as u32)
}

/// With the objects that hold the secrets alive, and after their end.
const KINDS: [&str; 2] = ["live", "destroyed"];

/// The secrets found in each kind of dump. A dump is then deleted: it is large.
fn search(flavour: Flavour) -> Result<Vec<BTreeSet<String>>> {
    let files = KINDS.map(|kind| workspace::target(&format!("qt-tests/core-{}-{kind}", flavour.name())));
    let [live, destroyed] = files.each_ref().map(|file| file.to_string_lossy());
    QtProgram::new("coredump_subject", flavour).run(&[&SEED.to_string(), &live, &destroyed])?;
    let secrets_in = |file: &PathBuf| {
        let dump = fs::read(file).with_context(|| format!("no dump {}", file.display()))?;
        fs::remove_file(file)?;
        let mut found = found_in(&dump);
        ensure!(found.remove(FOUND_CONTROL), "the search does not find what is there");
        ensure!(!found.contains(EXCLUDED_CONTROL), "the dump has memory that is excluded from dumps");
        Ok(found)
    };
    files.iter().map(secrets_in).collect()
}

/// Which of the subject's patterns the dump contains, in any form. Half of one is enough: the allocator overwrites a part
/// of what is freed.
fn found_in(dump: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (number, subject) in (SEED..).zip(SUBJECTS) {
        for (form, pad) in FORMS {
            let bytes = pattern(number).map(|byte| byte ^ pad);
            if bytes.chunks(SIZE / 2).any(|half| memmem::find(dump, half).is_some()) {
                found.insert(format!("{subject}{form}"));
            }
        }
    }
    found
}

const SIZE: usize = 32;

/// As `qt-tests/coredump/pattern.cpp` makes it.
fn pattern(number: u64) -> [u8; SIZE] {
    let mut state = number;
    [0; SIZE].map(|_: u8| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_half_in_any_form_is_found() {
        let secret = pattern(SEED);
        let found_in = |dump: &[u8]| found_in(dump).into_iter().collect::<Vec<_>>();
        assert_eq!(found_in(&secret), ["cookie secret"]);
        assert_eq!(found_in(&[&[1, 2, 3], &secret[SIZE / 2..]].concat()), ["cookie secret"]);
        assert_eq!(found_in(&secret.map(|byte| byte ^ 0x5c)), ["cookie secret in an outer pad"]);
        assert_eq!(found_in(&pattern(SEED + 1)[..SIZE / 2]), ["pre-shared key"]);
        assert!(found_in(&secret[1..SIZE / 2]).is_empty());
    }
}
