// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask sanitize`: the hardening tests under valgrind's memcheck, and with builds of the plugin's C++ for
//! AddressSanitizer (which also sees everything that it allocates) and ThreadSanitizer. Half an hour, so not a part of
//! `cargo xtask test`.

use crate::build::cmake::{self, define};
use crate::build::{Flavour, plugin};
use crate::system::{Run, shell, workspace};
use crate::test::memcheck;
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Cases that search all memory, which under a checker holds the checker's too. They are not run.
const DISTURBED: &[&str] = &["S30_", "F12_private_key_", "F12_ended_thread"];
/// Cases that memcheck alone disturbs: its timers are too slow, and in a child of fork() it takes for lost what the
/// stacks of the parent's threads point to.
const DISTURBED_BY_MEMCHECK: &[&str] = &["S13_junk_does_not_postpone_the_timer", "F12_fork"];

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
    let file = outcomes.to_string_lossy();
    let arguments = [&["--outcomes", &*file], DISTURBED, DISTURBED_BY_MEMCHECK].concat();
    program.run_under(&[settings.to_vec(), memcheck].concat(), &arguments)?;
    for log in fs::read_dir(&logs)? {
        let path = log?.path();
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        let text = if is_log { workspace::read(path)? } else { String::new() };
        ensure!(text.is_empty(), "memcheck has found something:\n{text}");
    }
    all_right(&outcomes)
}

pub fn address(qt_source: &Path) -> Result<u32> {
    let (program, plugins) = build("address", qt_source)?;
    let outcomes = workspace::target("address/outcomes.tsv");
    let program = shell().cmd(program).env(CASE_TIMEOUT, "30000").env("QT_PLUGIN_PATH", plugins);
    program.arg("--outcomes").arg(&outcomes).args(DISTURBED).quietly()?;
    all_right(&outcomes)
}

/// Runs the cases about threads and event loops under ThreadSanitizer, which fails a case on any finding.
pub fn thread(qt_source: &Path) -> Result<u32> {
    let (program, plugins) = build("thread", qt_source)?;
    let known = workspace::root().join("qt-tests/hardening/thread_sanitizer.txt");
    let options = format!("suppressions={}", known.display());
    let cases = shell().cmd(&program).arg("--list").env("TSAN_OPTIONS", &options).capture()?;
    let cases = cases.lines().filter_map(|line| line.split('\t').next());
    let cases: Vec<_> = cases.filter(|name| name.starts_with("F2_") || name.starts_with("F3_")).collect();
    ensure!(!cases.is_empty(), "no case was run");
    for case in &cases {
        let command = shell().cmd(&program).args([case, "-nocrashhandler"]);
        command.env("QT_PLUGIN_PATH", &plugins).env("TSAN_OPTIONS", &options).quietly()?;
    }
    Ok(cases.len() as u32)
}

/// Builds plugin and tests for a sanitizer of gcc, and returns the program and the folder of the plugin.
fn build(sanitizer: &str, qt_source: &Path) -> Result<(PathBuf, PathBuf)> {
    let target = workspace::target(sanitizer);
    let plugins = target.join("plugins");
    let source = define("QT_SOURCE_DIR", qt_source.display());
    let flags = define("CMAKE_CXX_FLAGS", format!("-fsanitize={sanitizer} -fno-omit-frame-pointer"));
    let library = define("QDTLS_RS_LIBRARY", plugin::library().display());
    let of_plugin = [source.clone(), flags.clone(), library, define("PLUGIN_DIR", plugins.display())];
    cmake::build("cmake/plugin", &target.join("plugin-build"), &of_plugin)?;
    let of_tests = [source, flags, define("PROGRAMS", "hardening")];
    cmake::build("qt-tests", &target.join("qt-tests-build"), &of_tests)?;
    Ok((target.join("qt-tests-build/bin/tst_hardening"), plugins))
}

fn all_right(outcomes: &Path) -> Result<u32> {
    let table = workspace::read(outcomes)?;
    let wrong: Vec<_> = table.lines().filter(|line| !line.contains("\tright\t")).collect();
    ensure!(!table.is_empty(), "no case was run");
    ensure!(wrong.is_empty(), "not right: {}", wrong.join("; "));
    Ok(table.lines().count() as u32)
}
