// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask test`: everything that is checked, in the order in which a mistake is cheapest to find.

use crate::build;
use crate::build::header;
use crate::build::plugin::{self, Flavour};
use crate::build::qt_source;
use crate::check::deny;
use crate::check::elf;
use crate::check::forced_include;
use crate::check::refusals;
use crate::check::sources;
use crate::system::environment::Environment;
use crate::system::packages;
use crate::test::autotests;
use crate::test::coredump;
use crate::test::cost;
use crate::test::hardening;
use crate::test::sanitize;
use crate::test::sweep;
use anyhow::{Context, Result};
use std::time::Instant;

pub fn all(environment: &Environment) -> Result<()> {
    let mut sum = Sum(0);
    work("prerequisites", || {
        packages::ensure(&[packages::PLUGIN, packages::TEST].concat(), environment.install)
    })?;

    sum.check("rustfmt", sources::rustfmt)?;
    sum.check("clippy", sources::clippy)?;
    sum.check("types of the code for Windows", sources::windows_types)?;
    sum.check("licence lines", sources::spdx)?;
    sum.check("clang-format", sources::clang_format)?;
    sum.check("C header", header::check)?;
    sum.check("cargo-deny", || deny::check(environment.install))?;
    sum.step("Rust tests", sources::cargo_test)?;

    sum.step("what a Qt build is stopped for", refusals::check_refusals)?;
    sum.step("Rust targets of toolchains", refusals::check_rust_targets)?;

    let qt_source = &work("source of Qt", || qt_source::find(environment.qt_source.as_deref()))?;
    let qt_version = &qt_source::version(qt_source)?;
    for flavour in [Flavour::USUAL, Flavour::LINKED].concat() {
        work(&format!("{} plugin", flavour.name()), || plugin::build(flavour, qt_source))?;
    }
    sum.check("Qt's own header of DTLS cannot get in", forced_include::check)?;
    sum.check("a second build has nothing to do", plugin::check_idle)?;
    sum.check("whose DTLS is in which plugin", elf::compare_contents)?;
    sum.check("needed libraries as stock's", elf::compare_needed)?;
    sum.check("exported symbols as stock's", elf::compare_exports)?;

    work("programs of QtTest", || build::programs(qt_source))?;
    let on = |plugins| autotests::run(plugins, qt_source, qt_version);
    sum.step("Qt's autotests", || on(Flavour::USUAL))?;
    sum.step("Qt's autotests, OpenSSL linked", || on(Flavour::LINKED))?;
    sum.step("Qt's autotests under memcheck", || autotests::run_memcheck(qt_source))?;

    sum.step("instruction counts, ours and stock", cost::check)?;
    sum.step("hardening tests, ours and stock", hardening::check)?;

    sum.step("secrets in core dumps", coredump::check)?;
    sum.step("failing allocations", || sweep::check(sweep::Intervals::SAMPLE))?;

    println!("{} passed, 0 failed", sum.0);
    Ok(())
}

/// `cargo xtask hardening`: its part of the above, with the document written instead of checked.
pub fn hardening(environment: &Environment) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::TEST].concat(), environment.install)?;
    let qt_source = &qt_source::find(environment.qt_source.as_deref())?;
    build::plugins(qt_source)?;
    build::programs(qt_source)?;
    // The document calls these right, too.
    sources::cargo_test()?;
    cost::check()?;
    coredump::check()?;
    sweep::check(sweep::Intervals::SAMPLE)?;
    hardening::write().map(|_| ())
}

/// `cargo xtask sanitize`.
pub fn sanitize(environment: &Environment) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::TEST].concat(), environment.install)?;
    let qt_source = &qt_source::find(environment.qt_source.as_deref())?;
    build::plugins(qt_source)?;
    build::programs(qt_source)?;
    let mut sum = Sum(0);
    sum.step("hardening tests with AddressSanitizer", || sanitize::address(qt_source))?;
    sum.step("hardening tests under memcheck", sanitize::memcheck)?;
    println!("{} passed, 0 failed", sum.0);
    Ok(())
}

/// `cargo xtask sweep`.
pub fn sweep(environment: &Environment, flavour: Flavour, all: bool) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::TEST].concat(), environment.install)?;
    let qt_source = &qt_source::find(environment.qt_source.as_deref())?;
    build::plugins(qt_source)?;
    build::programs(qt_source)?;
    let intervals = if all { sweep::Intervals::ALL } else { sweep::Intervals::USUAL };
    match flavour {
        flavour if flavour.is_stock() => sweep::show_stock(intervals),
        _ => sweep::check(intervals).map(|_| ()),
    }
}

/// Something that must succeed for the rest, but proves nothing by itself.
fn work<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work().with_context(|| format!("{name} failed"))?;
    println!("{name}: done ({:.1} s)", start.elapsed().as_secs_f32());
    Ok(result)
}

/// The number of checks and tests that passed so far. The first that fails ends it all.
struct Sum(u32);

impl Sum {
    /// Something that yields one yes or no.
    fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
        self.step(name, || check().map(|()| 1))
    }

    /// Something that yields the number of its tests that passed.
    fn step(&mut self, name: &str, step: impl FnOnce() -> Result<u32>) -> Result<()> {
        let start = Instant::now();
        let passed = step().with_context(|| format!("{name} failed"))?;
        self.0 += passed;
        println!("{name}: {passed} passed ({:.1} s)", start.elapsed().as_secs_f32());
        Ok(())
    }
}
