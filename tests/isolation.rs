// SPDX-License-Identifier: MIT OR Apache-2.0
//! This library and another static library of Rust in one program: the purpose of `cmake/isolate.cmake`.
//!
//! The other one has panic=abort. With lto it contains Rust's standard library, and two such libraries do not link;
//! without lto they link and share one run time.

#[path = "support/compiler.rs"]
mod compiler;
#[path = "support/declared.rs"]
mod declared;
#[path = "support/isolated.rs"]
mod isolated;
#[path = "support/library.rs"]
mod library;
#[path = "support/process.rs"]
mod process;
#[path = "support/symbols.rs"]
mod symbols;

use compiler::compiler;
use isolated::isolate;
use process::run;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const CONSUMERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/consumers");
const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/qdtls_rs.h");
const SIGABRT: i32 = 6;

/// A folder for what a test makes.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("isolation").join(name);
    fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

fn source(name: &str) -> PathBuf {
    Path::new(CONSUMERS).join("two-rust-libraries").join(name)
}

/// The library as cargo makes it, and isolated.
fn ours() -> &'static [PathBuf; 2] {
    static OURS: OnceLock<[PathBuf; 2]> = OnceLock::new();
    OURS.get_or_init(|| {
        let (plain, _) = library::build_static_library();
        let isolated = folder("ours").join("libqdtls_rs.a");
        isolate(&plain, Path::new(HEADER), &isolated);
        [plain, isolated]
    })
}

/// A static library of one Rust file.
fn rust_library(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let archive = folder.join(format!("lib{name}.a"));
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition=2024", "--crate-type=staticlib", "-Copt-level=1"]).args(options);
    rustc.args(["--target", env!("QDTLS_TARGET")]);
    run(rustc.arg(source(&format!("{name}.rs"))).arg("-o").arg(&archive));
    archive
}

/// Links the program with the libraries in this order.
fn link(program: &Path, sources: &[PathBuf], libraries: [&Path; 2]) -> std::process::Output {
    let mut compiler = compiler("c11");
    compiler.args(sources).args(libraries).args(["-lssl", "-lcrypto", "-lpthread", "-ldl", "-lm"]);
    compiler.arg("-o").arg(program).output().expect("the compiler runs")
}

fn must_link(program: &Path, sources: &[PathBuf], libraries: [&Path; 2]) {
    let output = link(program, sources, libraries);
    assert!(output.status.success(), "{libraries:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn in_both_orders<'a>(one: &'a Path, other: &'a Path) -> [[&'a Path; 2]; 2] {
    [[one, other], [other, one]]
}

fn handshake_sources() -> [PathBuf; 2] {
    [source("main.c"), Path::new(CONSUMERS).join("handshake.c")]
}

#[test]
fn only_what_the_header_declares_is_global() {
    let [plain, isolated] = ours();
    assert_eq!(symbols::global_symbols(isolated), declared::declared_functions());
    assert!(symbols::global_symbols(plain).len() > declared::declared_functions().len());
}

#[test]
fn the_same_input_gives_the_same_archive() {
    let [plain, isolated] = ours();
    let again = folder("again").join("libqdtls_rs.a");
    isolate(plain, Path::new(HEADER), &again);
    assert!(fs::read(again).expect("an archive") == fs::read(isolated).expect("an archive"));
}

#[test]
fn it_links_and_works_beside_another_rust_library() {
    let [_, isolated] = ours();
    let variants: [(&str, &[&str]); 3] = [
        ("abort-lto", &["-Cpanic=abort", "-Clto=fat"]),
        ("abort", &["-Cpanic=abort"]),
        ("unwind-lto", &["-Clto=fat"]),
    ];
    for (name, options) in variants {
        let folder = folder(name);
        let other = rust_library(&folder, "other", options);
        for libraries in in_both_orders(isolated, &other) {
            let program = folder.join("program");
            must_link(&program, &handshake_sources(), libraries);
            run(&mut Command::new(program));
        }
    }
}

#[test]
fn it_would_not_link_without_isolation() {
    let [plain, _] = ours();
    let folder = folder("plain");
    let other = rust_library(&folder, "other", &["-Cpanic=abort", "-Clto=fat"]);
    for libraries in in_both_orders(plain, &other) {
        let output = link(&folder.join("program"), &handshake_sources(), libraries);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains("multiple definition of `rust_eh_personality'"), "{complaint}");
    }
}

fn isolated_catcher(folder: &Path, plain: &Path) -> PathBuf {
    let isolated = folder.join("libcatcher-isolated.a");
    isolate(plain, &source("catcher.h"), &isolated);
    isolated
}

/// What a caught panic writes when a backtrace is asked for, with a catcher built so.
fn backtrace_of(name: &str, options: &[&str], is_isolated: bool) -> String {
    let folder = folder(name);
    let other = rust_library(&folder, "other", &["-Cpanic=abort"]);
    let plain = rust_library(&folder, "catcher", options);
    let catcher = if is_isolated { isolated_catcher(&folder, &plain) } else { plain };
    let program = folder.join("program");
    // Not isolated, the first library's run time serves both.
    must_link(&program, &[source("catch.c")], [&catcher, &other]);
    let output = run(Command::new(program).env("RUST_BACKTRACE", "full"));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Without std's readers of debug information, whose names the recipe must find in each form that compilers give them.
#[test]
fn a_caught_panic_says_where_it_was_but_not_from_where_it_was_called() {
    let lto: &[&str] = &["-Clto=fat", "-Ccodegen-units=1"];
    for (name, options) in [("backtrace", &[][..]), ("backtrace-lto", lto)] {
        let written = backtrace_of(name, options, true);
        assert!(written.contains("catcher.rs:") && written.contains("to be caught"), "{written}");
        assert!(!written.contains("  0: "), "{written}");
    }
    let written = backtrace_of("backtrace-plain", &[], false);
    assert!(written.contains("  0: "), "{written}");
}

#[test]
fn panics_are_caught_beside_a_library_that_aborts() {
    let folder = folder("panics");
    let other = rust_library(&folder, "other", &["-Cpanic=abort"]);
    let plain = rust_library(&folder, "catcher", &[]);
    let isolated = isolated_catcher(&folder, &plain);
    let program = folder.join("program");
    for libraries in in_both_orders(&isolated, &other) {
        must_link(&program, &[source("catch.c")], libraries);
        run(&mut Command::new(&program));
    }
    // Not isolated, the library is given the other's run time, which ends the process.
    must_link(&program, &[source("catch.c")], [&other, &plain]);
    let status = Command::new(&program).status().expect("the program runs");
    assert_eq!(status.signal(), Some(SIGABRT));
}
