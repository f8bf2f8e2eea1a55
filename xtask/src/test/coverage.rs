// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask coverage`: the lines that tests run: of the crate those that the Rust tests and the programs that they
//! build do, by rustc; of the adapter those that Qt's autotests and the hardening tests do, by gcov.

use crate::build::{plugin, qt_source};
use crate::system::{Environment, Run, cargo, cmd, packages, rust_target, shell, shell_in, workspace};
use crate::test::autotests::{self, AUTOTESTS};
use crate::test::instrumented;
use anyhow::{Result, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The tests that run the library as this build has it; not under valgrind, too, which covers nothing more.
const TESTS: &str = "--lib --test c_abi --test fuzz --test simulation -- --skip valgrind_";

pub fn run(environment: &Environment) -> Result<()> {
    let needed = [packages::PLUGIN, packages::TEST, packages::COVERAGE].concat();
    packages::ensure(&needed, environment)?;
    println!("{}", of_crate()?);
    println!("{}", of_adapter(&qt_source::find(environment)?)?);
    Ok(())
}

/// The table of llvm-cov, of the toolchain that compiled.
fn of_crate() -> Result<String> {
    let (cargo, folder) = (cargo(), workspace::target("coverage"));
    let profiles = folder.join("profiles");
    workspace::fresh(&profiles)?;
    let host = &rust_target()?;
    let tests = TESTS.split(' ');
    let command = cmd!(shell(), "{cargo} test --package qdtls-rs --target {host} {tests...}");
    let command = command.env("CARGO_TARGET_DIR", folder.join("crate"));
    let command = command.env("RUSTFLAGS", "-Cinstrument-coverage");
    command.env("LLVM_PROFILE_FILE", profiles.join("%m-%p.profraw")).quietly()?;

    let tools = cmd!(shell(), "rustc --print target-libdir").capture()?;
    let tools = Path::new(&tools).with_file_name("bin");
    let (profdata, cov) = (tools.join("llvm-profdata"), tools.join("llvm-cov"));
    ensure!(cov.exists(), "`rustup component add llvm-tools` installs {}", cov.display());
    let merged = folder.join("all.profdata");
    cmd!(shell(), "{profdata} merge --sparse --output {merged} {profiles}").quietly()?;
    let built = folder.join("crate").join(host);
    // First: of a function that a program does not use, llvm-cov takes the first program's word.
    let programs = ["c-abi/harness", "simulation/simulation"].map(|name| built.join("tmp").join(name));
    let programs = programs.into_iter().chain(self::programs(&built.join("debug/deps"))?);
    let objects = programs.flat_map(|program| ["--object".into(), program]);
    let others = "--ignore-filename-regex=/rustc/|/registry/|/tests/|tests\\.rs";
    cmd!(shell(), "{cov} report --instr-profile {merged} {others} {objects...}").capture()
}

/// The programs among the files of a folder.
fn programs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let mode = path.metadata()?.permissions().mode();
        if path.is_file() && path.extension().is_none() && mode & 0o111 != 0 {
            programs.push(path);
        }
    }
    Ok(programs)
}

/// The table of gcovr.
fn of_adapter(qt_source: &Path) -> Result<String> {
    let built = instrumented::build("coverage/adapter", "--coverage", &plugin::library(), qt_source)?;
    let folders = AUTOTESTS.map(|name| (name, autotests::folder(qt_source, name)));
    for (name, folder) in folders.into_iter().chain([("tst_hardening", workspace::root().into())]) {
        let (shell, program) = (shell_in(&folder), built.program(name));
        cmd!(shell, "{program}").quietly()?;
    }
    let objects = built.folder.join("plugin-build");
    cmd!(shell(), "gcovr --root . --filter src/qt/ --exclude-unreachable-branches {objects}").capture()
}
