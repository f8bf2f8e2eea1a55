// SPDX-License-Identifier: MIT OR Apache-2.0
//! Qt's own tests of its DTLS classes, on our plugin and on stock.

use crate::build::{self, Flavour, qt_source};
use crate::system::{Environment, packages};
use crate::test::qt_program::{QtProgram, Totals};
use crate::test::{hardening, memcheck};
use anyhow::{Context, Result, bail, ensure};
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};

pub const AUTOTESTS: [&str; 2] = ["tst_qdtls", "tst_qdtlscookie"];

/// How many tests pass in each of them, where that is known: in Debian's builds, with the OpenSSL of the same suite.
const KNOWN: [(&str, [u32; 2]); 3] = [("6.4.2", [62, 21]), ("6.8.2", [54, 21]), ("6.11.2", [54, 21])];

/// What `cargo xtask autotests` finds, and prints as its last line.
#[derive(Debug, PartialEq)]
pub struct Summary {
    pub qt: String,
    /// How many of Qt's tests passed on each plugin.
    pub ours: u32,
    pub stock: u32,
    /// How many of our hardening tests passed on ours; all of them must.
    pub hardening: u32,
}

impl Display for Summary {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { qt, ours, stock, hardening } = self;
        write!(formatter, "autotests: qt={qt} ours={ours} stock={stock} hardening={hardening}")
    }
}

impl Summary {
    pub fn parse(line: &str) -> Result<Self> {
        let words = line.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, "")));
        let words: Vec<_> = words.collect();
        match words[..] {
            [("autotests:", ""), ("qt", qt), ("ours", ours), ("stock", stock), ("hardening", hardening)] => {
                let [ours, stock, hardening] = [ours, stock, hardening].map(str::parse);
                Ok(Self { qt: qt.into(), ours: ours?, stock: stock?, hardening: hardening? })
            }
            _ => bail!("'{line}' is not a summary"),
        }
    }
}

/// `cargo xtask autotests`: both plugins for the installed Qt, Qt's tests on both, and our hardening tests on ours.
pub fn run_alone(environment: &Environment) -> Result<Summary> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO].concat(), environment.install)?;
    let qt_source = &qt_source::find(environment)?;
    let qt = qt_source::version(qt_source)?;
    build::plugins(qt_source)?;
    build::programs(qt_source)?;
    let (ours, stock) = compare(Flavour::USUAL, qt_source, &qt)?;
    Ok(Summary { qt, ours, stock, hardening: hardening::check_ours()? })
}

/// Returns how many tests passed on ours and on stock. Fails unless they report the same, and no failure.
pub fn compare([ours, stock]: [Flavour; 2], qt_source: &Path, qt_version: &str) -> Result<(u32, u32)> {
    let known = KNOWN.iter().find(|(version, _)| *version == qt_version).map(|(_, passed)| *passed);
    let mut sums = (0, 0);
    for (index, name) in AUTOTESTS.into_iter().enumerate() {
        let folder = &folder(qt_source, name);
        let totals_on = |flavour| Totals::of(&QtProgram { name, folder, flavour }.run(&[])?).context(name);
        let (ours, stock) = (totals_on(ours)?, totals_on(stock)?);
        println!("    {name:16} ours: {}; stock: {}", describe(ours), describe(stock));
        if let Some(passed) = known.map(|passed| passed[index]) {
            let known = Totals { passed, failed: 0, skipped: 0 };
            ensure!(stock == known, "{name} must report '{}' on stock of Qt {qt_version}", describe(known));
        }
        ensure!(ours == stock && stock.failed == 0, "{name} must report the same on both, and no failure");
        sums = (sums.0 + ours.passed, sums.1 + stock.passed);
    }
    Ok(sums)
}

/// Runs them on both plugins under valgrind, and returns how many runs there were.
pub fn run_memcheck(qt_source: &Path) -> Result<u32> {
    for name in AUTOTESTS {
        let folder = &folder(qt_source, name);
        let findings_on = |flavour| memcheck::run(&QtProgram { name, folder, flavour });
        let (ours, stock) = (findings_on(Flavour::OURS)?, findings_on(Flavour::STOCK)?);
        println!("    {name:16} ours: {ours}; stock: {stock}");
        memcheck::compare(&ours, &stock)?;
    }
    Ok(2 * AUTOTESTS.len() as u32)
}

/// The folder of a test's source, where it finds its data.
pub fn folder(qt_source: &Path, name: &str) -> PathBuf {
    qt_source.join("tests/auto/network/ssl").join(name.trim_start_matches("tst_"))
}

fn describe(totals: Totals) -> String {
    let Totals { passed, failed, skipped } = totals;
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_read_as_they_are_written() {
        let summary = Summary { qt: "6.8.2".into(), ours: 75, stock: 74, hardening: 118 };
        assert_eq!(Summary::parse(&summary.to_string()).unwrap(), summary);
        assert!(Summary::parse("autotests: qt=6.8.2 ours=75 stock=75").is_err());
        assert!(Summary::parse("").is_err());
    }
}
