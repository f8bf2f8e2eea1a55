// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed C header equals the one generated from the Rust sources, and compiles as C and as C++.

#[path = "support/compiler.rs"]
mod compiler;
#[path = "support/process.rs"]
mod process;

use compiler::compiler;
use process::run;
use std::fs;
use std::path::Path;

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/include/qdtls_rs.h"));
    let generated = fs::read_to_string(env!("QDTLS_GENERATED_HEADER"));
    let [committed, generated] = [committed, generated].map(|text| text.expect("the header can be read"));
    let differs = committed.lines().zip(generated.lines()).find(|(old, new)| old != new);
    assert!(
        committed == generated,
        "include/qdtls_rs.h is not what the Rust sources say; run `cargo xtask header`. First difference: {differs:?}"
    );
}

/// Compiles a file that consists of these lines.
fn compile(standard: &str, name: &str, lines: &[&str]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let extension = if standard.starts_with("c++") { "cpp" } else { "c" };
    let source = folder.join(format!("{name}.{extension}"));
    fs::write(&source, lines.join("\n") + "\n").expect("the source can be written");
    run(compiler(standard).arg("-fsyntax-only").arg(&source));
}

const HEADER: &str = "#include \"qdtls_rs.h\"";
const OPENSSL: &str = "#include <openssl/ssl.h>";

#[test]
fn the_header_compiles_alone() {
    compile("c11", "alone", &[HEADER]);
    compile("c++17", "alone", &[HEADER]);
}

#[test]
fn the_header_compiles_beside_openssls_and_twice() {
    for standard in ["c11", "c++17"] {
        compile(standard, "after_openssl", &[OPENSSL, HEADER, HEADER]);
        compile(standard, "before_openssl", &[HEADER, OPENSSL]);
    }
}

#[test]
fn statuses_are_of_one_size_in_both_languages() {
    const SIZE: &str = "(sizeof(qdtls_status) == 4, \"a status has 32 bits\");";
    compile("c11", "status_size", &[HEADER, &format!("_Static_assert{SIZE}")]);
    compile("c++17", "status_size", &[HEADER, &format!("static_assert{SIZE}")]);
}
