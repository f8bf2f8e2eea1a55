// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask sanitize`: builds of the plugin, C++ and Rust, for AddressSanitizer (which also sees what OpenSSL
//! allocates), of its C++ also for UndefinedBehaviorSanitizer, in the hardening tests, Qt's autotests, and with OpenSSL as
//! peer; of its C++ for ThreadSanitizer, in the tests of threads; and the hardening tests under valgrind's memcheck. Half
//! an hour, so not a part of `cargo xtask test`.

use crate::build::{Flavour, plugin};
use crate::system::{Run, cmd, nightly, rust_target, shell, shell_in, workspace};
use crate::test::autotests::{self, AUTOTESTS};
use crate::test::instrumented::{self, Instrumented};
use crate::test::memcheck;
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, ensure};
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

/// Builds for AddressSanitizer and UndefinedBehaviorSanitizer; any finding ends the program.
pub fn address(qt_source: &Path) -> Result<Instrumented> {
    let library = rust_library(&workspace::target("address/crate"), "address")?;
    build("address", "address,undefined -fno-sanitize-recover=undefined", &library, qt_source)
}

pub fn hardening(built: &Instrumented) -> Result<u32> {
    let outcomes = built.folder.join("outcomes.tsv");
    let program = shell().cmd(built.program("tst_hardening")).env(CASE_TIMEOUT, "30000");
    program.arg("--outcomes").arg(&outcomes).args(DISTURBED).quietly()?;
    all_right(&outcomes)
}

pub fn qts_autotests(built: &Instrumented, qt_source: &Path) -> Result<u32> {
    let passed = AUTOTESTS.map(|name| {
        let (shell, program) = (shell_in(&autotests::folder(qt_source, name)), built.program(name));
        autotests::run_elsewhere(cmd!(shell, "{program}"), None, false)
            .map(|totals| totals.passed)
            .context(name)
    });
    passed.into_iter().sum()
}

/// Runs the cases about threads and event loops under ThreadSanitizer, which fails a case on any finding.
pub fn thread(qt_source: &Path) -> Result<u32> {
    // Not of Rust: a QDtls that moves does so by way of Qt's locks, which Qt's libraries do not show.
    let built = build("thread", "thread", &plugin::library(), qt_source)?;
    let program = built.program("tst_hardening");
    let known = workspace::root().join("qt-tests/hardening/thread_sanitizer.txt");
    let options = format!("suppressions={}", known.display());
    let cases = shell().cmd(&program).arg("--list").env("TSAN_OPTIONS", &options).capture()?;
    let cases = cases.lines().filter_map(|line| line.split('\t').next());
    let cases: Vec<_> = cases.filter(|name| name.starts_with("F2_") || name.starts_with("F3_")).collect();
    ensure!(!cases.is_empty(), "no case was run");
    for case in &cases {
        let command = shell().cmd(&program).args([case, "-nocrashhandler"]);
        command.env("TSAN_OPTIONS", &options).quietly()?;
    }
    Ok(cases.len() as u32)
}

/// Builds plugin and tests for a sanitizer: the C++ by gcc, with its runtime.
fn build(folder: &str, sanitizer: &str, library: &Path, qt_source: &Path) -> Result<Instrumented> {
    let flags = format!("-fsanitize={sanitizer} -fno-omit-frame-pointer");
    instrumented::build(folder, &flags, library, qt_source)
}

/// The crate with Rust's standard library by the nightly compiler, whose code calls the same runtime's functions.
fn rust_library(folder: &Path, sanitizer: &str) -> Result<PathBuf> {
    let host = &rust_target()?;
    let library = ["--package", "qdtls-rs", "--lib", "--crate-type", "staticlib", "--no-default-features"];
    let build = cmd!(shell(), "cargo rustc --locked {library...} --release -Zbuild-std --target {host}");
    let flags = format!("-Zsanitizer={sanitizer} -Zexternal-clangrt");
    let build = build.env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", folder);
    nightly::with(build).quietly()?;
    Ok(folder.join(host).join("release/libqdtls_rs.a"))
}

fn all_right(outcomes: &Path) -> Result<u32> {
    let table = workspace::read(outcomes)?;
    let wrong: Vec<_> = table.lines().filter(|line| !line.contains("\tright\t")).collect();
    ensure!(!table.is_empty(), "no case was run");
    ensure!(wrong.is_empty(), "not right: {}", wrong.join("; "));
    Ok(table.lines().count() as u32)
}
