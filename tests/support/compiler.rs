// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C and C++ compiler for the system that the tests run on, with all warnings as errors.

use crate::process::run;
use std::process::Command;

/// A command that compiles this language standard, such as `c11` or `c++17`, and finds the header.
pub fn compiler(standard: &str) -> Command {
    let tool = cc::Build::new()
        .cargo_metadata(false)
        .cpp(standard.starts_with("c++"))
        .std(standard)
        .host(&host())
        .target(env!("QDTLS_TARGET"))
        .opt_level(0)
        .debug(true)
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .flag("-pedantic")
        .include(concat!(env!("CARGO_MANIFEST_DIR"), "/include"))
        .get_compiler();
    tool.to_command()
}

/// The triple of the machine that compiles, which cc asks for outside of build scripts.
fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = run(Command::new(rustc).arg("-vV"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc tells its host").to_owned()
}
