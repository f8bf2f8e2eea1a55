// SPDX-License-Identifier: MIT OR Apache-2.0
//! Qt's own tests of its DTLS classes, on our plugin and on stock.

use crate::plugin::Flavour;
use crate::qt_program::{QtProgram, Totals};
use crate::{cmake, memcheck, workspace};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// The programs, and what they report on the version of Qt that this was written for.
const AUTOTESTS: [(&str, Totals); 2] = [("tst_qdtls", all_passed(62)), ("tst_qdtlscookie", all_passed(21))];
const KNOWN_VERSION: &str = "6.4.2";

const fn all_passed(passed: u32) -> Totals {
    Totals { passed, failed: 0, skipped: 0 }
}

/// Builds these and our own QtTest programs.
pub fn build(qt_source: &Path) -> Result<()> {
    let variables = [("QT_SOURCE_DIR", &*qt_source.to_string_lossy())];
    cmake::build("qt-tests", &workspace::target("qt-tests-build"), &variables)
}

/// Runs them on both plugins, compares, and returns how many tests passed.
pub fn run(qt_source: &Path, qt_version: &str) -> Result<u32> {
    let mut passed = 0;
    for (name, known) in AUTOTESTS {
        let folder = folder(qt_source, name);
        let totals_on = |flavour| QtProgram { name, folder: &folder, flavour }.run(&[]);
        let (ours, stock) = (totals_on(Flavour::Rust)?, totals_on(Flavour::Stock)?);
        println!("    {name:16} ours: {}; stock: {}", describe(ours), describe(stock));
        if qt_version == KNOWN_VERSION && stock != known {
            bail!("{name} is known to report '{}' on stock", describe(known));
        }
        if ours != stock || stock.failed != 0 {
            bail!("{name} must report the same on both, and no failure");
        }
        passed += ours.passed + stock.passed;
    }
    Ok(passed)
}

/// Runs them on both plugins under valgrind, and returns how many runs there were.
pub fn run_memcheck(qt_source: &Path) -> Result<u32> {
    let mut runs = 0;
    for (name, _) in AUTOTESTS {
        let folder = folder(qt_source, name);
        let findings_on = |flavour| memcheck::run(&QtProgram { name, folder: &folder, flavour });
        let (ours, stock) = (findings_on(Flavour::Rust)?, findings_on(Flavour::Stock)?);
        println!("    {name:16} ours: {ours}; stock: {stock}");
        memcheck::compare(&ours, &stock)?;
        runs += 2;
    }
    Ok(runs)
}

/// A test finds its data from the folder that its source is in.
fn folder(qt_source: &Path, name: &str) -> PathBuf {
    qt_source.join("tests/auto/network/ssl").join(name.trim_start_matches("tst_"))
}

fn describe(totals: Totals) -> String {
    let Totals { passed, failed, skipped } = totals;
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}
