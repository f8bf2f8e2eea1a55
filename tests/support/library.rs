// SPDX-License-Identifier: MIT OR Apache-2.0
//! The static library, for programs outside of Rust.

use std::path::PathBuf;
use std::process::Command;

/// Builds `libqdtls_rs.a` with linked OpenSSL. Returns its path, and rustc's list of linker arguments for the native
/// libraries that a program needs with it.
///
/// `cargo test` need not build a static library, so this one gets a folder of its own, which a later run finds up to
/// date.
pub fn build_static_library() -> (PathBuf, Vec<String>) {
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/static-library");
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "rustc",
            "--package",
            "qdtls-rs",
            "--lib",
            "--crate-type",
            "staticlib",
            "--features",
            "linked",
        ])
        .args(["--target", env!("QDTLS_TARGET")])
        .args(["--target-dir", target, "--message-format", "json", "--", "--print", "native-static-libs"])
        .output()
        .expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the static library was not built:\n{complaints}{messages}");
    let library = between(&messages, r#""filenames":[""#, "libqdtls_rs.a\"");
    let native = between(&messages, r#""message":"native-static-libs: "#, "\"");
    let library = PathBuf::from(library.trim_end_matches('"'));
    (library, native.trim_end_matches('"').split_whitespace().map(String::from).collect())
}

/// The last text that begins after `start` and ends with `end`, on one line.
fn between<'a>(messages: &'a str, start: &str, end: &str) -> &'a str {
    let of_line = |line: &'a str| {
        let (_, rest) = line.split_once(start)?;
        rest.find(end).and_then(|place| rest.get(..place + end.len()))
    };
    messages.lines().rev().find_map(of_line).unwrap_or_else(|| panic!("cargo did not tell {start}"))
}
