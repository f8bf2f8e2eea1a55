// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask test`: all checks and tests, in the order in which a mistake is cheapest to find; and the verbs that run
//! a part of them.

use crate::build::{self, Flavour, cmake, header, plugin, qt_source};
use crate::check::{abi, clang, deny, elf, forced_include, package, size, sources};
use crate::interop;
use crate::system::{Environment, nightly, packages};
use crate::test::sweep::{self, Intervals};
use crate::test::{autotests, coredump, cost, hardening, sanitize};
use anyhow::{Context, Result};
use std::time::Instant;

pub fn all(environment: &Environment) -> Result<()> {
    let mut sum = Sum(0);
    let needed = [packages::PLUGIN, packages::TEST, packages::ABI, &interop::packages_of_check()].concat();
    work("prerequisites", || packages::ensure(&needed, environment))?;

    sum.check("rustfmt", sources::rustfmt)?;
    sum.check("clippy", sources::clippy)?;
    sum.check("types of the code for Windows", sources::windows_types)?;
    sum.step("the oldest rustc", sources::oldest_rustc)?;
    sum.check("licence lines", sources::spdx)?;
    sum.check("clang-format", sources::clang_format)?;
    sum.check("C header", header::check)?;
    sum.step("ABI since the last release", abi::check)?;
    sum.check("cargo's package", package::check)?;
    sum.check("cargo-deny", || deny::check(environment))?;
    sum.check("C and C++ by clang", clang::check)?;
    sum.step("Rust tests", sources::cargo_test)?;
    sum.step("Rust API", sources::rust_api)?;

    sum.step("refused Qt builds", || cmake::test("refusals", &[]))?;
    sum.step("Rust targets of toolchains", || cmake::test("rust_target", &[]))?;

    let qt_source = &work("source of Qt", || qt_source::find(environment))?;
    let qt_version = &qt_source::version(qt_source)?;
    let definitions = [cmake::define("QT_SOURCE_DIR", qt_source.display())];
    sum.step("the check of an unknown Qt", || cmake::test("interfaces", &definitions))?;
    for flavour in [Flavour::USUAL, Flavour::LINKED].concat() {
        work(&format!("{} plugin", flavour.name()), || plugin::build(flavour, qt_source))?;
    }
    sum.check("Qt's own DTLS header cannot get in", forced_include::check)?;
    sum.check("a second build has nothing to do", plugin::check_idle)?;
    sum.check("each plugin has its own DTLS", elf::compare_contents)?;
    sum.check("needed libraries as stock's", elf::compare_needed)?;
    sum.check("exported symbols as stock's", elf::compare_exports)?;
    sum.check("protections as stock's", elf::compare_protections)?;
    sum.check("size of the plugin", size::check)?;

    work("test programs", || build::programs(qt_source))?;
    let on = |plugins| autotests::compare(plugins, qt_source, qt_version).map(|(ours, stock)| ours + stock);
    sum.step("Qt's autotests", || on(Flavour::USUAL))?;
    sum.step("Qt's autotests, by clang, OpenSSL linked", || on(Flavour::LINKED))?;
    sum.step("Qt's autotests under memcheck", || autotests::run_memcheck(qt_source))?;

    sum.step("instruction counts, ours and stock", cost::check)?;
    sum.step("hardening tests, ours and stock", hardening::check)?;

    sum.step("foreign peers, ours and stock", || interop::check(environment))?;
    sum.step("an application's statistics, ours and stock", interop::statistics::check)?;

    sum.step("secrets in core dumps", coredump::check)?;
    sum.step("failing allocations", || sweep::check(Intervals::SAMPLE))?;
    sum.show();
    Ok(())
}

/// `cargo xtask hardening`: its part of the above, with the document written instead of checked.
pub fn hardening(environment: &Environment) -> Result<()> {
    build::for_tests(environment)?;
    // The document also says that these pass.
    sources::cargo_test()?;
    sources::rust_api()?;
    cost::check()?;
    coredump::check()?;
    sweep::check(Intervals::SAMPLE)?;
    hardening::write()
}

pub fn sanitize(environment: &Environment) -> Result<()> {
    nightly::require("rustc", "rust-src", "`cargo xtask test` runs the same tests without a sanitizer")?;
    let qt_source = &build::for_tests(environment)?;
    let mut sum = Sum(0);
    let built = work("plugin and tests for AddressSanitizer", || sanitize::address(qt_source))?;
    sum.step("hardening tests with AddressSanitizer", || sanitize::hardening(&built))?;
    sum.step("Qt's autotests with AddressSanitizer", || sanitize::qts_autotests(&built, qt_source))?;
    sum.step("OpenSSL as peer with AddressSanitizer", || {
        interop::check_endpoint(built.program("dtls_endpoint"), environment)
    })?;
    sum.step("tests of threads with ThreadSanitizer", || sanitize::thread(qt_source))?;
    sum.step("hardening tests under memcheck", sanitize::memcheck)?;
    sum.show();
    Ok(())
}

pub fn sweep(environment: &Environment, flavour: Flavour, all: bool) -> Result<()> {
    build::for_tests(environment)?;
    let intervals = if all { Intervals::ALL } else { Intervals::USUAL };
    if flavour.is_stock {
        sweep::sweep(flavour, intervals).map(drop)
    } else {
        sweep::check(intervals).map(drop)
    }
}

/// Runs what the rest needs, but proves nothing by itself.
fn work<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    timed(name, work, |_| "done".into())
}

fn timed<T>(name: &str, work: impl FnOnce() -> Result<T>, describe: impl Fn(&T) -> String) -> Result<T> {
    let start = Instant::now();
    let result = work().with_context(|| format!("{name} failed"))?;
    println!("{name}: {} ({:.1} s)", describe(&result), start.elapsed().as_secs_f32());
    Ok(result)
}

/// The number of checks and tests that passed so far. The first that fails ends the run.
struct Sum(u32);

impl Sum {
    /// Counts a check as one.
    fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
        self.step(name, || check().map(|()| 1))
    }

    /// Counts the tests of a step, which returns how many passed.
    fn step(&mut self, name: &str, step: impl FnOnce() -> Result<u32>) -> Result<()> {
        self.0 += timed(name, step, |passed| format!("{passed} passed"))?;
        Ok(())
    }

    fn show(&self) {
        println!("{} passed, 0 failed", self.0);
    }
}
