// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static libraries in the form in which they are installed: no symbols but those of their header.

use crate::compiler::compiler;
use crate::process::run;
use std::path::Path;
use std::process::Command;

const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cmake/isolate_archive.cmake");

/// Makes `output` of the archive `input`, by the recipe that the build uses.
pub fn isolate(input: &Path, header: &Path, output: &Path) {
    let folders = [("HEADER", header), ("INPUT", input), ("OUTPUT", output)];
    let tools = [("LINKER", "ld"), ("OBJCOPY", "objcopy"), ("NM", "nm"), ("AR", "ar")];
    let tools = tools.map(|(variable, name)| (variable, tool(name)));
    let mut cmake = Command::new("cmake");
    cmake.args(folders.map(|(name, path)| format!("-D{name}={}", path.display())));
    cmake.args(tools.map(|(name, tool)| format!("-D{name}={tool}")));
    run(cmake.arg("-P").arg(RECIPE));
}

/// The path of a tool such as `ld` that belongs to the compiler.
fn tool(name: &str) -> String {
    let output = run(compiler("c11").arg(format!("-print-prog-name={name}")));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
