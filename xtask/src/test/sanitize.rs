// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask sanitize`: the hardening tests under valgrind's memcheck, and with an AddressSanitizer build of the
//! plugin's C++ (and of everything it allocates). Ten minutes, so not a part of `cargo xtask test`.

use crate::build::cmake::{self, define};
use crate::build::{Flavour, plugin};
use crate::system::{Run, shell, workspace};
use crate::test::memcheck;
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;

/// Cases that a checker disturbs: one searches all memory, which now holds the checker's too; the other counts on timers
/// that memcheck is too slow for.
const EXEMPT: [&str; 2] = ["S30_", "S13_junk_does_not_postpone_the_timer"];

/// Time for one case, many times what it needs without a checker.
const CASE_TIMEOUT: &str = "TST_HARDENING_CASE_TIMEOUT_MS";

pub fn memcheck() -> Result<u32> {
    let logs = workspace::target("qt-tests/memcheck-hardening");
    workspace::fresh(&logs)?;
    let outcomes = logs.join("outcomes.tsv");
    let memcheck = memcheck::memcheck(&[
        "--trace-children=yes",
        "--trace-children-skip=*/openssl",
        "--error-exitcode=99",
        "--show-leak-kinds=definite,indirect",
        "--errors-for-leak-kinds=definite,indirect",
        &format!("--log-file={}", logs.join("%p.log").display()),
    ]);
    // Code that PCRE generates reads whole vectors, beyond what of them is set.
    let settings = ["env".into(), format!("{CASE_TIMEOUT}=120000"), "QT_ENABLE_REGEXP_JIT=0".into()];
    let program = QtProgram::new("tst_hardening", Flavour::OURS);
    program
        .run_under(&[settings.to_vec(), memcheck].concat(), &["--outcomes", &outcomes.to_string_lossy()])?;
    // An exempt case may fail; memcheck may not find anything in it.
    for log in fs::read_dir(&logs)? {
        let path = log?.path();
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        let text = if is_log { workspace::read(path)? } else { String::new() };
        ensure!(text.is_empty(), "memcheck has found something:\n{text}");
    }
    all_right(&outcomes)
}

pub fn address(qt_source: &Path) -> Result<u32> {
    let target = workspace::target("asan");
    let (outcomes, plugins) = (target.join("outcomes.tsv"), target.join("plugins"));
    let source = define("QT_SOURCE_DIR", qt_source.display());
    let flags = define("CMAKE_CXX_FLAGS", "-fsanitize=address -fno-omit-frame-pointer");
    let library = define("QDTLS_RS_LIBRARY", plugin::library().display());
    let of_plugin = [source.clone(), flags.clone(), library, define("PLUGIN_DIR", plugins.display())];
    cmake::build("cmake/plugin", &target.join("plugin-build"), &of_plugin)?;
    cmake::build("qt-tests", &target.join("qt-tests-build"), &[source, flags])?;
    let program = shell().cmd(target.join("qt-tests-build/bin/tst_hardening")).env(CASE_TIMEOUT, "30000");
    program.env("QT_PLUGIN_PATH", &plugins).arg("--outcomes").arg(&outcomes).quietly()?;
    all_right(&outcomes)
}

fn all_right(outcomes: &Path) -> Result<u32> {
    let table = workspace::read(outcomes)?;
    let judged = || table.lines().filter(|line| !EXEMPT.iter().any(|name| line.starts_with(name)));
    let wrong: Vec<_> = judged().filter(|line| !line.contains("\tright\t")).collect();
    ensure!(judged().count() > 0, "no case was run");
    ensure!(wrong.is_empty(), "not right: {}", wrong.join("; "));
    Ok(judged().count() as u32)
}
