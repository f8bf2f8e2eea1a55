// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the benchmarks print, by name and by subject.

use crate::system::workspace;
use anyhow::{Context, Result, ensure};
use itertools::Itertools;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::{Display, VariantArray};

const HEADER: &str = "\
# SPDX-License-Identifier: MIT OR Apache-2.0
# What docs/performance.md is made of: name, subject, and a value for each round, in nanoseconds, bytes or as a ratio.
";

/// Half of the values lie from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Result<Self> {
        let values: Vec<_> = values.sorted_by(f64::total_cmp).collect();
        let last = values.len().checked_sub(1).context("no values")?;
        // Between two values, the line through them counts.
        let quantile = |share: f64| {
            let position = share * last as f64;
            let (below, above) = (values[position.floor() as usize], values[position.ceil() as usize]);
            below + (above - below) * position.fract()
        };
        Ok(Self { low: quantile(0.25), median: quantile(0.5), high: quantile(0.75) })
    }

    /// The same in another unit.
    pub fn map(self, convert: impl Fn(f64) -> f64) -> Self {
        let (one, other) = (convert(self.low), convert(self.high));
        Self { low: one.min(other), median: convert(self.median), high: one.max(other) }
    }
}

/// Three significant digits at least.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Display, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Subject {
    Stock,
    Ours,
    Raw,
}

#[derive(Default)]
pub struct Samples {
    /// A value for each round.
    values: BTreeMap<(String, Subject), Vec<f64>>,
    facts: BTreeMap<(String, Subject), String>,
}

/// Lines of the benchmarks that say what kind of thing was measured.
const FACT: &str = "fact ";

/// What may differ between the three: stock cannot resume, so its handshake is a full one.
const MAY_DIFFER: &str = "handshake/resumed/";

impl Samples {
    pub fn add(&mut self, subject: Subject, output: &str) -> Result<()> {
        for line in output.lines() {
            let (name, value) = line.split_once('\t').with_context(|| format!("'{line}' is no result"))?;
            if let Some(name) = name.strip_prefix(FACT) {
                let before = self.facts.insert((name.into(), subject), value.into());
                let is_same = before.is_none_or(|before| before == value);
                ensure!(is_same, "{name} changes between rounds, to {value}");
            } else {
                let value = value.parse().with_context(|| format!("'{line}' has no number"))?;
                self.values.entry((name.into(), subject)).or_default().push(value);
            }
        }
        Ok(())
    }

    /// Fails unless each thing was measured on all of them in each of its rounds, and was the same thing.
    pub fn check(&self, rounds_of: impl Fn(&str) -> usize, subjects: &[Subject]) -> Result<()> {
        ensure!(!self.values.is_empty(), "nothing was measured");
        for ((name, _), &subject) in self.values.keys().cartesian_product(subjects) {
            let count = self.of(name, subject)?.len();
            ensure!(count == rounds_of(name), "{name} of {subject} has {count} values");
        }
        for ((name, _), value) in self.facts.iter().filter(|((name, _), _)| !name.starts_with(MAY_DIFFER)) {
            let is_same = |subject: &Subject| self.facts.get(&(name.clone(), *subject)) == Some(value);
            ensure!(subjects.iter().all(is_same), "{name} is not {value} on all");
        }
        Ok(())
    }

    fn of(&self, name: &str, subject: Subject) -> Result<&[f64]> {
        let values = self.values.get(&(name.to_owned(), subject));
        values.map(Vec::as_slice).with_context(|| format!("{name} was not measured on {subject}"))
    }

    pub fn spread(&self, name: &str, subject: Subject) -> Result<Spread> {
        Spread::of(self.of(name, subject)?.iter().copied())
    }

    /// Of the ratios of the rounds.
    pub fn ratio(&self, name: &str, numerator: Subject, denominator: Subject) -> Result<Spread> {
        let (above, below) = (self.of(name, numerator)?, self.of(name, denominator)?);
        Spread::of(above.iter().zip(below).map(|(above, below)| above / below))
    }

    /// Everything, a line for each name and subject, a column for each round.
    pub fn table(&self) -> String {
        let lines = self
            .values
            .iter()
            .map(|((name, subject), values)| format!("{name}\t{subject}\t{}\n", values.iter().format("\t")));
        HEADER.to_owned() + &lines.collect::<String>()
    }

    pub fn read(table: &str) -> Result<Self> {
        let rows: Vec<(String, Subject, Vec<f64>)> = workspace::table(table)?;
        let values = rows.into_iter().map(|(name, subject, values)| ((name, subject), values));
        Ok(Self { values: values.collect(), ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(outputs: [&str; 3]) -> Samples {
        let mut samples = Samples::default();
        for (subject, output) in Subject::VARIANTS.iter().zip(outputs) {
            samples.add(*subject, output).unwrap();
        }
        samples
    }

    #[test]
    fn each_round_measures_the_same_on_all_three() {
        let (x, y) = ("a\t1\nfact a/cipher\tX\n", "a\t1\nfact a/cipher\tY\n");
        assert_eq!(samples([x, x, x]).of("a", Subject::Ours).unwrap(), [1.0]);
        for (outputs, rounds, is_right) in [
            ([x, x, x], 1, true),
            ([x, x, x], 2, false),
            (["a\t1\n", "a\t1\nb\t1\n", "a\t1\n"], 1, false),
            ([x, x, y], 1, false),
            (["a\t1\n", x, x], 1, false),
        ] {
            assert_eq!(
                samples(outputs).check(|_| rounds, Subject::VARIANTS).is_ok(),
                is_right,
                "{outputs:?}"
            );
        }
        assert!(samples([x, x, x]).add(Subject::Raw, y).is_err());
    }

    #[test]
    fn ratios_are_those_of_the_rounds_also_when_read_again() {
        let table = samples(["a\t10\na\t40\n", "a\t5\na\t20\n", "a\t1\na\t1\n"]).table();
        let ratio = Samples::read(&table).unwrap().ratio("a", Subject::Ours, Subject::Stock).unwrap();
        assert_eq!((ratio.low, ratio.median, ratio.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn quartiles_are_between_the_values_and_rates_are_inverse() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0].into_iter()).unwrap();
        assert_eq!(spread, Spread { low: 1.75, median: 2.5, high: 3.25 });
        let spread = Spread { low: 1.0, median: 2.0, high: 4.0 }.map(|value| 1.0 / value);
        assert_eq!(spread, Spread { low: 0.25, median: 0.5, high: 1.0 });
        assert!(Spread::of([].into_iter()).is_err());
        assert_eq!([0.5, 5.25, 12.34, 1234.5].map(number), ["0.50", "5.25", "12.3", "1234"]);
    }
}
