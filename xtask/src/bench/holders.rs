// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who holds the heap of a kept connection: what valgrind's dhat finds allocated at the end of a process that keeps
//! connections, by the library whose code asked for it.

use super::samples::Subject;
use crate::system::workspace;
use anyhow::{Context, Result};
use itertools::Itertools;
use minijinja::{Value, context};
use serde::Deserialize;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use strum::VariantArray;

/// Numbers of connections. What a process holds only once, as buffers for any connection, is in both.
const CONNECTIONS: RangeInclusive<u64> = 50..=150;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Owner {
    /// This library and its adapter.
    Ours,
    Qt,
    OpenSsl,
    /// The program that keeps the connection.
    Program,
}

/// dhat's file, as far as it matters here.
#[derive(Deserialize)]
struct Report {
    pps: Vec<Point>,
    ftbl: Vec<String>,
}

/// Where memory is allocated.
#[derive(Deserialize)]
struct Point {
    /// Bytes at the end.
    eb: u64,
    /// Its callers as indices of `ftbl`, the innermost first.
    fs: Vec<usize>,
}

impl Report {
    fn bytes_by_owner(&self, subject: Subject) -> HashMap<Owner, u64> {
        let owner = |point: &Point| {
            let frames = point.fs.iter().filter_map(|&index| self.ftbl.get(index));
            frames.map(String::as_str).find_map(|frame| owner_of(frame, subject)).unwrap_or(Owner::Program)
        };
        self.pps.iter().map(|point| (owner(point), point.eb)).into_grouping_map().sum()
    }
}

/// Of a frame, `0x1F: function (file:line)` or `0x1F: function (in library)`. Those of the allocator, of libc and of what
/// is inlined from the libraries of C++ and Rust belong to their callers.
fn owner_of(frame: &str, subject: Subject) -> Option<Owner> {
    let (function, place) = frame.strip_suffix(')')?.rsplit_once(" (")?;
    if let Some(library) = place.strip_prefix("in ") {
        let name = library.rsplit('/').next()?;
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        return match name {
            _ if starts(&["libssl.", "libcrypto."]) => Some(Owner::OpenSsl),
            _ if starts(&["libQt6"]) => Some(Owner::Qt),
            _ => None,
        };
    }
    // Qt's function makes this library's object, by a name of Qt's.
    let is_ours = subject == Subject::Ours && function.contains("createDtlsCryptograph");
    if place.contains("qt-tests/") {
        Some(Owner::Program)
    } else if is_ours || place.contains("qdtls-rs/src/") {
        Some(Owner::Ours)
    } else if place.contains("/src/plugins/tls/") {
        Some(Owner::Qt)
    } else {
        None
    }
}

/// A row for each subject: bytes of one connection.
pub fn of_connection() -> Result<Vec<Value>> {
    let describe = |&subject: &Subject| {
        let [few, many] = [*CONNECTIONS.start(), *CONNECTIONS.end()].map(|count| held(subject, count));
        let (few, many) = (few?, many?);
        let of = |owner| {
            let [few, many] = [&few, &many].map(|bytes| bytes.get(&owner).copied().unwrap_or_default());
            many.saturating_sub(few) / (CONNECTIONS.end() - CONNECTIONS.start())
        };
        let [ours, qt, openssl, program] = [Owner::Ours, Owner::Qt, Owner::OpenSsl, Owner::Program].map(of);
        Ok(context! { subject, ours, qt, openssl, program, all => ours + qt + openssl + program })
    };
    Subject::VARIANTS.iter().map(describe).collect()
}

fn held(subject: Subject, connections: u64) -> Result<HashMap<Owner, u64>> {
    eprintln!("listing the memory of {connections} connections: {subject}");
    let file = workspace::target(&format!("bench/held-{connections}-{subject}"));
    let out_file = format!("--dhat-out-file={}", file.display());
    // Whole paths tell whose a file is.
    let wrapper = ["valgrind", "--quiet", "--tool=dhat", "--num-callers=40", "--fullpath-after=", &out_file];
    subject.run(&wrapper.map(String::from), "kept", connections)?;
    let report: Report = serde_json::from_str(&workspace::read(file)?).context("dhat's file")?;
    Ok(report.bytes_by_owner(subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_belongs_to_the_innermost_that_is_no_allocator() {
        let frames = [
            "0x1: malloc (in /usr/libexec/valgrind/vgpreload_dhat-amd64-linux.so)",
            "0x2: CRYPTO_zalloc (in /usr/lib/libcrypto.so.3)",
            "0x3: alloc (/rustc/5980/library/alloc/src/alloc.rs:95)",
            "0x4: new_ssl (/usr/src/qdtls-rs/src/openssl/context.rs:111)",
            "0x5: QTlsBackendOpenSSL::createDtlsCryptograph (/qt/src/plugins/tls/openssl/a.cpp:1)",
            "0x6: QDtls::QDtls(QObject*) (in /usr/lib/libQt6Network.so.6.4.2)",
            "0x7: main (/home/qdtls-rs/qt-tests/bench/main_qt.cpp:12)",
        ];
        let point = |eb, fs: &[usize]| Point { eb, fs: fs.to_vec() };
        let pps = vec![
            point(1, &[0, 1, 3, 6]),
            point(10, &[0, 2, 3, 6]),
            point(100, &[0, 4, 5, 6]),
            point(1000, &[0, 5, 6]),
            point(10_000, &[0, 6]),
            point(100_000, &[0]),
        ];
        let report = Report { pps, ftbl: frames.map(String::from).to_vec() };
        let bytes = |subject| {
            let bytes = report.bytes_by_owner(subject);
            [Owner::Ours, Owner::Qt, Owner::OpenSsl, Owner::Program].map(|owner| bytes[&owner])
        };
        assert_eq!(bytes(Subject::Ours), [110, 1000, 1, 110_000]);
        assert_eq!(bytes(Subject::Stock), [10, 1100, 1, 110_000]);
    }
}
