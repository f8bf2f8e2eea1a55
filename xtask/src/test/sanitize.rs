// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask sanitize`: the hardening tests under valgrind's memcheck, and with an AddressSanitizer build of the
//! plugin's C++ (and of everything it allocates). Ten minutes, so not a part of `cargo xtask test`.

use crate::build::cmake;
use crate::build::plugin::{self, Flavour};
use crate::system::process::{capture, command};
use crate::system::workspace;
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;

/// Cases that a checker stands in the way of: one searches all memory, which now holds the checker's too; the other
/// counts on timers that memcheck is too slow for.
const EXEMPT: [&str; 2] = ["S30_", "S13_junk_does_not_postpone_the_timer"];

/// Time for one case, many times what it needs without a checker.
const CASE_TIMEOUT: (&str, &str) = ("TST_HARDENING_CASE_TIMEOUT_MS", "120000");

pub fn memcheck() -> Result<u32> {
    let logs = workspace::target("qt-tests/memcheck-hardening");
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    fs::create_dir_all(&logs)?;
    let outcomes = logs.join("outcomes.tsv");
    let suppressions = workspace::root().join("qt-tests/autotests/memcheck.supp");
    let wrapper = [
        "env".to_owned(),
        format!("{}={}", CASE_TIMEOUT.0, CASE_TIMEOUT.1),
        // Code that PCRE generates reads whole vectors, beyond what of them is set.
        "QT_ENABLE_REGEXP_JIT=0".into(),
        "valgrind".into(),
        "--quiet".into(),
        "--trace-children=yes".into(),
        "--trace-children-skip=*/openssl".into(),
        "--error-exitcode=99".into(),
        "--leak-check=full".into(),
        "--show-leak-kinds=definite,indirect".into(),
        "--errors-for-leak-kinds=definite,indirect".into(),
        format!("--suppressions={}", suppressions.display()),
        format!("--log-file={}", logs.join("%p.log").display()),
    ];
    let program = QtProgram { name: "tst_hardening", folder: workspace::root(), flavour: Flavour::Rust };
    let wrapper: Vec<_> = wrapper.iter().map(String::as_str).collect();
    program.run_with(&wrapper, &["--outcomes", &outcomes.to_string_lossy()])?;
    // Exempt is what a case says of itself, not what memcheck says of it.
    for log in fs::read_dir(&logs)? {
        let path = log?.path();
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        let text = if is_log { fs::read_to_string(&path)? } else { String::new() };
        ensure!(text.is_empty(), "memcheck has found something:\n{text}");
    }
    all_right(&outcomes)
}

pub fn address(qt_source: &Path) -> Result<u32> {
    let target = workspace::target("asan");
    let outcomes = target.join("outcomes.tsv");
    let plugins = target.join("plugins");
    let library = plugin::library();
    let (source, plugins_text) = (qt_source.to_string_lossy(), plugins.to_string_lossy());
    let flags = "-fsanitize=address -fno-omit-frame-pointer";
    let plugin_variables = [
        ("QT_SOURCE_DIR", &*source),
        ("PLUGIN_DIR", &*plugins_text),
        ("QDTLS_RS_LIBRARY", &*library.to_string_lossy()),
        ("CMAKE_CXX_FLAGS", flags),
    ];
    cmake::build("cmake/plugin", &target.join("plugin-build"), &plugin_variables)?;
    let test_variables = [("QT_SOURCE_DIR", &*source), ("CMAKE_CXX_FLAGS", flags)];
    cmake::build("qt-tests", &target.join("qt-tests-build"), &test_variables)?;
    capture(
        command(target.join("qt-tests-build/bin/tst_hardening"))
            .env("QT_PLUGIN_PATH", &plugins)
            .env(CASE_TIMEOUT.0, "30000")
            .arg("--outcomes")
            .arg(&outcomes),
    )?;
    all_right(&outcomes)
}

fn all_right(outcomes: &Path) -> Result<u32> {
    let table = fs::read_to_string(outcomes)?;
    let judged = || table.lines().filter(|line| !EXEMPT.iter().any(|name| line.starts_with(name)));
    let wrong: Vec<_> = judged().filter(|line| !line.contains("\tright\t")).collect();
    ensure!(judged().count() > 0, "no case was run");
    ensure!(wrong.is_empty(), "not right: {}", wrong.join("; "));
    Ok(judged().count() as u32)
}
