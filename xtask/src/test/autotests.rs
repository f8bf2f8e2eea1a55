// SPDX-License-Identifier: MIT OR Apache-2.0
//! Qt's own tests of its DTLS classes, on our plugin and on stock.

use crate::build::{self, Flavour, qt_source};
use crate::system::{Cmd, Environment, Outcome, Run, both, packages};
use crate::test::qt_program::{QtProgram, Totals};
use crate::test::{hardening, memcheck};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub const AUTOTESTS: [&str; 2] = ["tst_qdtls", "tst_qdtlscookie"];

/// How many tests pass in each of them, where that is known: in Debian's builds, with the OpenSSL of the same suite.
const KNOWN: [(&str, [u32; 2]); 3] = [("6.4.2", [62, 21]), ("6.8.2", [54, 21]), ("6.11.2", [54, 21])];

/// What `cargo xtask autotests` finds, and prints as its last line, in JSON.
#[derive(Deserialize, Serialize)]
pub struct Summary {
    pub qt: String,
    /// How many of Qt's tests passed on each plugin.
    pub ours: u32,
    pub stock: u32,
    /// How many of our hardening tests passed on ours; all of them must.
    pub hardening: u32,
}

/// `cargo xtask autotests`: both plugins for the installed Qt, Qt's tests on both, and our hardening tests on ours.
/// Returns the [`Summary`].
pub fn run_alone(environment: &Environment) -> Result<String> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO].concat(), environment)?;
    let qt_source = &qt_source::find(environment)?;
    let qt = qt_source::version(qt_source)?;
    build::plugins(qt_source)?;
    // Others need more than there is for each architecture, such as valgrind's headers.
    build::some_programs(qt_source, &[&AUTOTESTS[..], &["tst_hardening"]].concat())?;
    let (ours, stock) = compare(Flavour::USUAL, qt_source, &qt)?;
    Ok(serde_json::to_string(&Summary { qt, ours, stock, hardening: hardening::check_ours()? })?)
}

/// Returns how many tests passed on ours and on stock. Fails unless they report the same, and no failure; stock may do
/// worse where it [cannot shake hands](stock_fails_on).
pub fn compare([ours, stock]: [Flavour; 2], qt_source: &Path, qt_version: &str) -> Result<(u32, u32)> {
    let known = KNOWN.iter().find(|(version, _)| *version == qt_version).map(|(_, passed)| *passed);
    let mut sums = (0, 0);
    for (index, name) in AUTOTESTS.into_iter().enumerate() {
        let folder = &folder(qt_source, name);
        let run_on = |flavour| QtProgram { name, folder, flavour }.run_to_end(&[]);
        let totals = |output: &str| Totals::of(output).context(name);
        let on_ours = run_on(ours)?;
        let on_stock = run_on(stock)?;
        let (ours, stock) = (totals(&on_ours)?, totals(&on_stock)?);
        println!("    {name:16} ours: {ours}; stock: {stock}");
        if let Some(passed) = known.map(|passed| passed[index]) {
            let known = Totals { passed, failed: 0, skipped: 0 };
            ensure!(ours == known, "{name} must report '{known}' on Qt {qt_version}\n{on_ours}");
        }
        let may_fail = stock_fails_on(&on_stock);
        ensure!(ours.failed == 0, "{name} must report no failure on ours\n{on_ours}");
        ensure!(ours == stock || may_fail, "{name} must report the same on both\n{on_stock}");
        sums = (sums.0 + ours.passed, sums.1 + stock.passed);
    }
    Ok(sums)
}

/// Whether the output of a test is that of a Qt for 32-bit ARM. Qt gives SSL_set_options(3) 32 bits there, in another
/// register than the 64 that OpenSSL reads, so its servers ask for a cookie that they do not make (S34).
fn stock_fails_on(output: &str) -> bool {
    output.lines().any(|line| line.starts_with("Config: ") && line.contains(" (arm-"))
}

/// Runs them on both plugins under valgrind, and returns how many runs there were.
pub fn run_memcheck(qt_source: &Path) -> Result<u32> {
    for name in AUTOTESTS {
        let folder = &folder(qt_source, name);
        let [ours, stock] =
            both(Flavour::USUAL, |flavour| memcheck::run(&QtProgram { name, folder, flavour }))?;
        println!("    {name:16} ours: {ours}; stock: {stock}");
        memcheck::compare(&ours, &stock)?;
    }
    Ok(2 * AUTOTESTS.len() as u32)
}

/// The folder of a test's source, where it finds its data.
pub fn folder(qt_source: &Path, name: &str) -> PathBuf {
    qt_source.join("tests/auto/network/ssl").join(name.trim_start_matches("tst_"))
}

/// What our adapter writes to the log when it is first used.
const SIGN_OF_OURS: &str = "DTLS by qdtls-rs";

/// What Qt's variable QT_LOGGING_RULES has to be for that.
pub const LOGGING_RULES: &str = "qt.tlsbackend.ossl.debug=true";

/// Runs a test that need not be on one of our plugins. All of it must pass, on the DTLS, and if that is given on the
/// version of Qt, that is expected.
pub fn run_elsewhere(test: Cmd, qt: Option<&str>, is_stock: bool) -> Result<Totals> {
    let Outcome { status, stdout, stderr } = test.env("QT_LOGGING_RULES", LOGGING_RULES).outcome()?;
    // QtTest writes to stdout; what comes before its first test is on stderr.
    let output = stdout + &stderr;
    ensure!(status.success(), "{status}\n{output}");
    ensure!(output.contains(SIGN_OF_OURS) != is_stock, "it ran on the wrong DTLS:\n{output}");
    let is_right_qt = qt.is_none_or(|qt| output.contains(&format!(", Qt {qt} (")));
    ensure!(is_right_qt, "it ran on the wrong Qt:\n{output}");
    let totals = Totals::of(&output)?;
    ensure!(totals.passed > 0 && totals.failed == 0 && totals.skipped == 0, "{totals}");
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s34_only_32_bit_arm_is_excused() {
        let output = |abi| {
            format!("* Start *\nConfig: Using QtTest library 6.8.2, Qt 6.8.2 ({abi}-little_endian-lp64)\n")
        };
        for (abi, excused) in [("arm", true), ("arm64", false), ("x86_64", false), ("i386", false)] {
            assert_eq!(stock_fails_on(&output(abi)), excused, "{abi}");
        }
    }
}
