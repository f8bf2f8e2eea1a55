// SPDX-License-Identifier: MIT OR Apache-2.0
//! The static library exports the functions of its header, and no other name of its own.

#[path = "support/declared.rs"]
mod declared;
#[path = "support/library.rs"]
mod library;

use declared::declared_functions;
use std::collections::BTreeSet;
use std::process::Command;

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
    /// Objects of the crate bear its name. The others belong to its dependencies and std; names such as `memcpy` and
    /// `rust_eh_personality` are in every static library of Rust.
    fn is_ours(&self) -> bool {
        self.object.starts_with("qdtls_rs-")
    }

    /// Rust mangles names (RFC 2603 and the scheme before) in a way that no C program uses by accident. Older compilers
    /// leave the names of the allocator functions as they are.
    fn is_rusts(&self) -> bool {
        ["_R", "_ZN", "__rust_"].iter().any(|start| self.name.starts_with(start))
    }

    /// The compiler makes weak symbols: references for unwinding, and a section for debuggers.
    fn is_weak(&self) -> bool {
        matches!(self.kind.as_str(), "V" | "W" | "v" | "w")
    }
}

#[test]
fn the_exported_names_are_those_of_the_header() {
    let exported: BTreeSet<_> = symbols()
        .into_iter()
        .filter(|symbol| symbol.is_ours() && !symbol.is_rusts() && !symbol.is_weak())
        .map(|symbol| symbol.name)
        .collect();
    assert_eq!(exported, declared_functions());
}

#[test]
fn nobody_else_exports_names_like_ours() {
    let like_ours = |symbol: &Symbol| symbol.name.starts_with("qdtls_") || symbol.name.starts_with("q_");
    let foreign: Vec<_> =
        symbols().into_iter().filter(|symbol| !symbol.is_ours() && like_ours(symbol)).collect();
    assert!(foreign.is_empty(), "{:?}", foreign.iter().map(|symbol| &symbol.name).collect::<Vec<_>>());
}
