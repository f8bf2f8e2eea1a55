// SPDX-License-Identifier: MIT OR Apache-2.0
//! The binary interface that the C header describes, compared by abidiff with the last released one. It is for x86-64.
//!
//! What is compared are the header's own declarations, given empty bodies by a C compiler. The debug information of the
//! Rust library would add all private types that handles lead to, which change with each version of rustc.
//! `tests/header.rs` holds the header to the library, `tests/installed_package.rs` the exported symbols to the header.

use crate::system::{Environment, Outcome, Run, cmd, packages, shell, workspace};
use anyhow::{Context, Result, bail, ensure};
use itertools::Itertools;
use std::fs;
use std::path::PathBuf;

const HEADER: &str = "include/qdtls_rs.h";
const BASELINE: &str = "abi/qdtls_rs.abi";
const LICENCE: &str = "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->";

/// Changes of the header, as text and its replacement, that programs in use survive.
const COMPATIBLE: [[&str; 2]; 2] = [
    ["uint32_t qdtls_abi_version(void);", "uint32_t qdtls_abi_version(void);\nint32_t qdtls_added(void);"],
    ["    QDTLS_ROLE_SERVER = 1,", "    QDTLS_ROLE_SERVER = 1,\n    QDTLS_ROLE_ADDED = 2,"],
];

/// Changes that they do not survive: a member at either end of a structure, numbers, arguments, results, callbacks.
const INCOMPATIBLE: [[&str; 2]; 8] = [
    ["} qdtls_address;", "    uint32_t added;\n} qdtls_address;"],
    ["typedef struct qdtls_callbacks {", "typedef struct qdtls_callbacks {\n    uint32_t added;"],
    ["    uint16_t port;", "    uint32_t port;"],
    ["uint32_t qdtls_abi_version(void);", ""],
    ["void qdtls_listener_free(", "int32_t qdtls_listener_free("],
    ["qdtls_cookie_rotate(void)", "qdtls_cookie_rotate(int32_t added)"],
    ["(*send)(void *user, ", "(*send)(void *user, int32_t added, "],
    ["    QDTLS_ROLE_SERVER = 1,", "    QDTLS_ROLE_SERVER = 2,"],
];

/// `cargo xtask abi --check`
pub fn run(environment: &Environment) -> Result<u32> {
    packages::ensure(packages::ABI, environment)?;
    check()
}

/// Fails if programs in use would not survive the header. Returns the number of checks, of which all but one show that
/// abidiff can tell.
pub fn check() -> Result<u32> {
    if !cfg!(target_arch = "x86_64") {
        return Ok(0);
    }
    let header = workspace::read(HEADER)?;
    if let Some(difference) = compare(&header)? {
        bail!(
            "the header breaks programs in use:\n{difference}\ndocs/abi.md, \"ABI policy\", says what may change; \
             `cargo xtask abi` makes this the new {BASELINE}"
        );
    }
    for (changes, is_compatible) in [(&COMPATIBLE[..], true), (&INCOMPATIBLE[..], false)] {
        for [text, changed] in changes {
            ensure!(header.matches(text).count() == 1, "'{text}' is not once in {HEADER}");
            let passes = compare(&header.replace(text, changed))?.is_none();
            ensure!(passes == is_compatible, "abidiff passes '{changed}' for '{text}': {passes}");
        }
    }
    Ok(1 + u32::try_from(COMPATIBLE.len() + INCOMPATIBLE.len())?)
}

/// Writes the interface of the header as that of the last release, and shows what is different.
pub fn write(environment: &Environment) -> Result<()> {
    packages::ensure(packages::ABI, environment)?;
    let header = workspace::read(HEADER)?;
    let baseline = workspace::root().join(BASELINE);
    let difference = if baseline.exists() { compare(&header)? } else { None };
    println!("{}", difference.as_deref().unwrap_or("nothing that breaks programs in use"));
    let library = compile(&header)?;
    let options = ["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed"];
    let text = cmd!(shell(), "abidw {options...} --type-id-style hash {library}").capture()?;
    // libabigail knows its files by their first line.
    let (first, rest) = text.split_once('\n').context("abidw has written nothing")?;
    fs::write(&baseline, format!("{first}\n{LICENCE}\n{rest}\n"))
        .with_context(|| format!("cannot write {BASELINE}"))
}

/// What abidiff says about a header that programs in use would not survive.
fn compare(header: &str) -> Result<Option<String>> {
    let library = compile(header)?;
    let Outcome { status, stdout, stderr } =
        cmd!(shell(), "abidiff --no-added-syms {BASELINE} {library}").outcome()?;
    // The bits 1 and 2 are errors of its own, 4 a change, and 8 one that is certainly incompatible.
    match status.code() {
        Some(0) => Ok(None),
        Some(code) if code & 3 == 0 => Ok(Some(stdout)),
        _ => bail!("abidiff failed: {status}\n{stdout}{stderr}"),
    }
}

/// A shared library with debug information of what the header declares.
fn compile(header: &str) -> Result<PathBuf> {
    let folder = workspace::target("abi");
    workspace::fresh(&folder)?;
    let source = folder.join("library.c");
    fs::write(folder.join("qdtls_rs.h"), header)?;
    fs::write(&source, definitions(header))?;
    let library = folder.join("library.so");
    // The baseline names no folder of this machine.
    let map = format!("-fdebug-prefix-map={}=.", workspace::root().display());
    let options = ["-std=c11", "-g", "-w", "-fPIC", "-shared", &map];
    cmd!(shell(), "cc {options...} -o {library} {source}").quietly()?;
    Ok(library)
}

/// C code that defines each function, and a variable of each enumeration, for functions pass their numbers as integers.
fn definitions(header: &str) -> String {
    let declarations = declarations(header);
    let functions = declarations.iter().map(|declaration| format!("{declaration} {{ __builtin_trap(); }}"));
    let enumerations = header.lines().filter_map(|line| line.strip_prefix("enum "));
    let variables = enumerations.map(|name| format!("enum {name} {name}_numbers;"));
    ["#include \"qdtls_rs.h\"".to_owned()].into_iter().chain(functions).chain(variables).join("\n") + "\n"
}

/// The declarations of functions. They begin in the first column, and end at the first `);`.
fn declarations(header: &str) -> Vec<String> {
    let lines: Vec<_> = header.lines().collect();
    let is_first =
        |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase()) && line.contains('(');
    let from = |first| lines.iter().skip(first).take_while_inclusive(|line| !line.ends_with(");")).join("\n");
    let declarations = lines.iter().positions(is_first).map(from);
    declarations.map(|declaration| declaration.trim_end_matches(';').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_get_bodies_and_enumerations_variables() {
        let header = "/** f(x); */\nenum qdtls_e\n{\n};\nstruct s {\n    int (*f)(void);\n};\n\
            int f(int a,\n      int b);\nvoid g(void);\n";
        let expected = "#include \"qdtls_rs.h\"\nint f(int a,\n      int b) { __builtin_trap(); }\n\
            void g(void) { __builtin_trap(); }\nenum qdtls_e qdtls_e_numbers;\n";
        assert_eq!(definitions(header), expected);
    }
}
