// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dependencies between the crate's modules that must not exist, and two properties that every file must have.

#[path = "support/imports.rs"]
mod imports;

use imports::{Import, Module, Sources, imports, is_test, module_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Whether a module below the one name must not import from one below the other. The root is the empty name; all that
/// is not `ffi`, `memory`, `openssl`, `os`, `rust` or the root is the core.
fn is_forbidden(from: &str, to: &str) -> bool {
    match from {
        "" => false,
        "rust" => to == "ffi",
        _ if to == "rust" => true,
        "ffi" => false,
        "openssl" => ["ffi", "association", "connection", "cookie", "listener"].contains(&to),
        "os" => !["os", "error", "log", "peer"].contains(&to),
        "memory" | "text" => true,
        "host" if ["peer", "openssl"].contains(&to) => false,
        "log" if to == "peer" => false,
        "error" | "log" | "host" => {
            !["error", "log", "host", "bytes", "memory", "role", "text", "unix_time"].contains(&to)
        }
        "wire" => ["ffi", "openssl"].contains(&to),
        _ => to == "ffi",
    }
}

fn top(module: &Module) -> &str {
    module.first().map_or("", String::as_str)
}

fn name(module: &Module) -> String {
    if module.is_empty() { "crate".into() } else { module.join("::") }
}

fn line(import: &Import) -> String {
    format!("{}:{}: {} -> {}", import.file, import.line, name(&import.from), name(&import.to))
}

fn forbidden_arrows(imports: &[Import]) -> Vec<String> {
    imports.iter().filter(|import| is_forbidden(top(&import.from), top(&import.to))).map(line).collect()
}

/// The shortest circle through each file that is on one; a circle is given once.
fn circles(imports: &[Import]) -> Vec<String> {
    let mut arrows = BTreeMap::<&Module, BTreeMap<&Module, &Import>>::new();
    for import in imports.iter().filter(|import| !import.is_folder) {
        arrows.entry(&import.from).or_default().entry(&import.to).or_insert(import);
    }
    let mut reported = BTreeSet::new();
    let mut lines = Vec::new();
    for start in arrows.keys().copied() {
        let Some(circle) = shortest_circle(&arrows, start) else { continue };
        let modules: BTreeSet<_> = circle.iter().map(|import| &import.from).collect();
        if reported.insert(modules) {
            let steps: Vec<_> = circle.into_iter().map(line).collect();
            lines.push(format!("circle:\n    {}", steps.join("\n    ")));
        }
    }
    lines
}

/// The imports that lead from a module back to it.
fn shortest_circle<'a>(
    arrows: &BTreeMap<&'a Module, BTreeMap<&'a Module, &'a Import>>,
    start: &'a Module,
) -> Option<Vec<&'a Import>> {
    let mut routes = vec![vec![]];
    let mut visited = BTreeSet::new();
    while !routes.is_empty() {
        let mut longer = Vec::new();
        for route in &routes {
            let end = route.last().map_or(start, |import: &&Import| &import.to);
            for import in arrows.get(end).into_iter().flat_map(BTreeMap::values) {
                let route = [&route[..], &[*import]].concat();
                if import.to == *start {
                    return Some(route);
                }
                if visited.insert(&import.to) {
                    longer.push(route);
                }
            }
        }
        routes = longer;
    }
    None
}

/// What makes the Rust API's connection `Send`, and the module around it.
const SEND: [&str; 2] = ["src/rust/mod.rs", "src/rust/movable.rs"];

/// Core modules, and those of the Rust API, without `#![forbid(unsafe_code)]` in front of their first item.
fn core_files_that_allow_unsafe(sources: &Sources) -> Vec<String> {
    let may_have_it = ["", "ffi", "memory", "openssl", "os"];
    let is_core = |path: &str| !may_have_it.contains(&top(&module_of(path))) && !SEND.contains(&path);
    let is_head = |line: &&str| line.is_empty() || line.starts_with("//") || line.starts_with("#!");
    let forbids = |text: &str| text.lines().take_while(is_head).any(|line| line == "#![forbid(unsafe_code)]");
    let wrong = sources.iter().filter(|(path, text)| is_core(path) && !is_test(path) && !forbids(text));
    wrong.map(|(path, _)| format!("{path}:1: no #![forbid(unsafe_code)]")).collect()
}

/// Comments on unsafe code that give no reason.
fn empty_safety_comments(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources {
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains("SAFETY: passed on"));
        found.extend(lines.map(|(index, _)| format!("{path}:{}: SAFETY without a reason", index + 1)));
    }
    found
}

/// The Rust files of the crate.
fn sources() -> Sources {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut sources = Sources::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let inner = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("a path in the crate");
                sources.insert(inner.display().to_string(), text);
            }
        }
    }
    sources
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn no_module_imports_what_it_must_not() {
    assert_none(&forbidden_arrows(&imports(&sources())));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_none(&circles(&imports(&sources())));
}

#[test]
fn core_modules_forbid_unsafe_code() {
    assert_none(&core_files_that_allow_unsafe(&sources()));
}

#[test]
fn safety_comments_give_a_reason() {
    assert_none(&empty_safety_comments(&sources()));
}

/// The crate itself is understood: its files import each other at hundreds of places.
#[test]
fn the_crates_imports_are_found() {
    let found = imports(&sources());
    let leads =
        |from: &str, to: &str| found.iter().any(|import| top(&import.from) == from && top(&import.to) == to);
    assert!(found.len() > 100, "{} imports", found.len());
    assert!(leads("ffi", "connection") && leads("ffi", "error") && leads("openssl", "error"));
}

/// The checker itself, on sources made up for it.
mod checker {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Sources {
        files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned())).collect()
    }

    /// The imports in one file of a crate with the usual modules.
    fn arrows_of(path: &str, text: &str) -> Vec<String> {
        let mut sources = files(&[
            ("lib.rs", "pub const VERSION: u32 = 1;"),
            ("error.rs", "pub struct Error;"),
            (
                "cookie/mod.rs",
                "mod key; mod slot; pub use key::CookieKey; pub use slot::*; pub fn judge() {}",
            ),
            ("cookie/key.rs", "pub struct CookieKey;"),
            ("cookie/slot.rs", "pub struct Slot; macro_rules! slots { () => {} }"),
            ("ffi/mod.rs", "mod handle; pub use handle::*;"),
            ("ffi/handle.rs", "pub unsafe extern \"C\" fn handle() {}"),
            ("openssl/mod.rs", "pub mod ssl; pub mod bio;"),
            ("openssl/ssl.rs", "pub struct Ssl;"),
            ("openssl/bio.rs", "pub fn create() {}"),
        ]);
        sources.insert(format!("src/{path}"), text.into());
        let of_file = |import: &Import| import.file == format!("src/{path}");
        imports(&sources).iter().filter(|import| of_file(import)).map(line).collect()
    }

    #[track_caller]
    fn assert_leads(path: &str, text: &str, expected: &[&str]) {
        let arrows = arrows_of(path, text);
        let ends: Vec<_> =
            arrows.iter().filter_map(|arrow| arrow.split_once("-> ")).map(|(_, to)| to).collect();
        assert_eq!(ends, expected, "{text}");
    }

    #[test]
    fn lines_name_file_and_modules() {
        assert_eq!(
            arrows_of("openssl/ssl.rs", "\nuse crate::ffi::handle;\n"),
            ["src/openssl/ssl.rs:2: openssl::ssl -> ffi::handle"]
        );
    }

    #[test]
    fn uses_of_every_shape_are_found() {
        let file = "openssl/ssl.rs";
        assert_leads(file, "use crate::error::Error;", &["error"]);
        assert_leads(file, "pub(crate) use crate::error::Error as E;", &["error"]);
        assert_leads(
            file,
            "use crate::{error::Error, openssl::{bio::{self, create}}};",
            &["error", "openssl::bio", "openssl::bio"],
        );
        assert_leads(file, "use crate::error::*;", &["error"]);
        assert_leads(file, "use {crate::error, std::fmt};", &["error"]);
        assert_leads(file, "use super::bio::create;", &["openssl::bio"]);
        assert_leads(file, "use super::super::error::Error;", &["error"]);
        assert_leads(file, "use super::{bio, super::error::Error};", &["openssl::bio", "error"]);
        assert_leads(file, "fn f() { use crate::error::Error; }", &["error"]);
        assert_leads(file, "use crate::VERSION;", &["crate"]);
        assert_leads(file, "use std::error::Error; use openssl_sys::ffi; use ::std::fmt;", &[]);
    }

    #[test]
    fn paths_in_code_are_found() {
        let file = "openssl/ssl.rs";
        assert_leads(file, "fn f() { crate::ffi::handle(); }", &["ffi::handle"]);
        assert_leads(file, "fn f(x: &crate::error::Error) {}", &["error"]);
        assert_leads(file, "fn f() { println!(\"{}\", crate::VERSION); }", &["crate"]);
        assert_leads(file, "fn f() { g::<super::bio::X>(); }", &["openssl::bio"]);
        assert_leads(file, "macro_rules! m { () => { $crate::error::Error } }", &["error"]);
        assert_leads(file, "mod inner { fn f() { super::super::bio::create(); } }", &["openssl::bio"]);
        assert_leads(file, "use crate::cookie; fn f() { cookie::judge(); }", &["cookie", "cookie"]);
        assert_leads(file, "use crate::cookie as c; fn f() { c::CookieKey; }", &["cookie", "cookie::key"]);
    }

    #[test]
    fn what_is_no_import_is_not_found() {
        let file = "openssl/ssl.rs";
        assert_leads(file, "// use crate::ffi::handle;\n/// [`crate::ffi::handle`]\nfn f() {}", &[]);
        assert_leads(file, "const TEXT: &str = \"crate::ffi::handle\";", &[]);
        assert_leads(file, "pub(in crate::openssl) fn f() {} pub(super) fn g(&self) { self.x }", &[]);
        assert_leads(file, "fn f<'a>() -> impl Sized + use<'a> { self::f() }", &[]);
    }

    #[test]
    fn names_lead_to_the_file_that_defines_them() {
        assert_leads("listener.rs", "use crate::cookie::CookieKey;", &["cookie::key"]);
        assert_leads("listener.rs", "use crate::cookie::{Slot, judge};", &["cookie::slot", "cookie"]);
        assert_leads("listener.rs", "use crate::ffi::handle;", &["ffi::handle"]);
        assert_leads("cookie/slot.rs", "use super::CookieKey;", &["cookie::key"]);
    }

    #[test]
    fn children_that_are_reexported_are_no_imports() {
        let file = "cookie/mod.rs";
        assert_leads(file, "pub use key::CookieKey; pub(crate) use self::slot::*;", &[]);
        assert_leads(file, "use key::CookieKey;", &["cookie::key"]);
        assert_leads(file, "fn f() -> slot::Slot {}", &["cookie::slot"]);
        assert_leads(file, "pub use crate::error::Error;", &["error"]);
    }

    #[test]
    fn tests_are_left_out() {
        let file = "openssl/ssl.rs";
        assert_leads(file, "#[cfg(test)] mod tests { use crate::ffi::handle; }", &[]);
        assert_leads(
            file,
            "#[cfg(all(test, feature = \"linked\"))]\nmod tests { use crate::ffi::handle; }",
            &[],
        );
        assert_leads(file, "fn f() { #[cfg(test)] crate::ffi::handle(); crate::error::f(); }", &["error"]);
        assert_leads(file, "#[cfg(test)] use crate::ffi::handle; use crate::error::Error;", &["error"]);
        assert_leads(file, "#[cfg(not(test))] use crate::ffi::handle;", &["ffi::handle"]);
        assert_leads(file, "#[cfg(any(test, unix))] use crate::error::Error;", &["error"]);
        assert_leads("openssl/tests/bio.rs", "use crate::ffi::handle;", &[]);
        assert_leads("cookie_tests.rs", "use crate::ffi::handle;", &[]);
    }

    #[test]
    fn forbidden_arrows_are_found() {
        let is_found = |path: &str, text: &str| {
            let sources = files(&[
                ("ffi/mod.rs", ""),
                ("openssl/mod.rs", ""),
                ("rust/mod.rs", ""),
                ("cookie.rs", ""),
                ("error.rs", ""),
                ("log.rs", ""),
                ("bytes.rs", ""),
                (path, text),
            ]);
            !forbidden_arrows(&imports(&sources)).is_empty()
        };
        for (path, forbidden, allowed) in [
            ("openssl/ssl.rs", "ffi::f", "error::f"),
            ("openssl/bio.rs", "cookie::f", "bytes::f"),
            ("listener.rs", "ffi::f", "openssl::f"),
            ("association/inbox.rs", "ffi::f", "cookie::f"),
            ("wire/hello.rs", "openssl::f", "bytes::f"),
            ("error.rs", "cookie::f", "log::f"),
            ("log.rs", "openssl::f", "error::f"),
            ("host.rs", "cookie::f", "bytes::f"),
            ("os/unix.rs", "bytes::f", "error::f"),
            ("os/mod.rs", "openssl::f", "log::f"),
            ("rust/host.rs", "ffi::f", "cookie::f"),
            ("ffi/handle.rs", "rust::f", "cookie::f"),
            ("listener.rs", "rust::f", "cookie::f"),
        ] {
            assert!(is_found(path, &format!("use crate::{forbidden};")), "{path} {forbidden}");
            assert!(!is_found(path, &format!("use crate::{allowed};")), "{path} {allowed}");
        }
        assert!(!is_found("ffi/connection.rs", "use crate::{openssl::f, cookie::f, error::f};"));
    }

    #[test]
    fn circles_are_found_once() {
        let found = circles(&imports(&files(&[
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::d::D;"),
            ("c/mod.rs", "mod d; pub use d::D;"),
            ("c/d.rs", "\nuse crate::a::A;"),
            ("e.rs", "use crate::a::A;"),
        ])));
        let steps = ["src/a.rs:1: a -> b", "src/b.rs:1: b -> c::d", "src/c/d.rs:2: c::d -> a"];
        assert_eq!(found, [format!("circle:\n    {}", steps.join("\n    "))]);
    }

    #[test]
    fn parents_and_children_are_a_circle_when_both_use_the_other() {
        let is_circle = |parent: &str| {
            let sources = files(&[
                ("a/mod.rs", parent),
                ("a/b.rs", "use super::Item;"),
                ("a/c.rs", "use super::b::f;"),
            ]);
            !circles(&imports(&sources)).is_empty()
        };
        assert!(is_circle("mod b; pub struct Item; fn g() { b::f() }"));
        assert!(!is_circle("mod b; pub use b::f; pub struct Item;"));
        assert!(!is_circle("mod b; mod c; pub struct Item; pub use c::*;"));
    }

    #[test]
    fn files_that_allow_unsafe_code_are_found() {
        let found = |path: &str, text: &str| core_files_that_allow_unsafe(&files(&[(path, text)])).len();
        assert_eq!(found("cookie/slot.rs", "//! Text.\n\n#![forbid(unsafe_code)]\nuse std::fmt;"), 0);
        assert_eq!(found("cookie/slot.rs", "//! Text.\nuse std::fmt;\n#![forbid(unsafe_code)]"), 1);
        assert_eq!(found("panic.rs", "// #![forbid(unsafe_code)]"), 1);
        assert_eq!(found("rust/connection.rs", "use std::fmt;"), 1);
        for path in
            ["rust/movable.rs", "lib.rs", "ffi/cookie.rs", "openssl/ssl.rs", "os/unix.rs", "cookie_tests.rs"]
        {
            assert_eq!(found(path, ""), 0, "{path}");
        }
    }

    #[test]
    fn safety_comments_without_a_reason_are_found() {
        let found =
            empty_safety_comments(&files(&[("os/unix.rs", "fn f() {\n    // SAFETY: passed on.\n}")]));
        assert_eq!(found, ["src/os/unix.rs:2: SAFETY without a reason"]);
        assert!(
            empty_safety_comments(&files(&[("os/unix.rs", "// SAFETY: the pointer is live.")])).is_empty()
        );
    }
}
