// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the benchmarks print, by name and by subject.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;

const HEADER: &str = "\
# SPDX-License-Identifier: MIT OR Apache-2.0
# What docs/performance.md is made of: name, subject, and a value for each round, in nanoseconds or bytes.
";

/// Half of the values lie from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Result<Self> {
        values.sort_by(f64::total_cmp);
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

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Stock,
    Ours,
    Raw,
}

impl Subject {
    pub const ALL: [Self; 3] = [Self::Stock, Self::Ours, Self::Raw];

    pub fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Ours => "ours",
            Self::Raw => "raw",
        }
    }
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
    /// Reads the output of one process.
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

    /// Fails unless each thing was measured on all three in each round, and was the same thing.
    pub fn check(&self, rounds: usize) -> Result<()> {
        ensure!(!self.values.is_empty(), "nothing was measured");
        for (name, _) in self.values.keys() {
            for subject in Subject::ALL {
                let count = self.of(name, subject)?.len();
                ensure!(count == rounds, "{name} of {} has {count} values", subject.name());
            }
        }
        for ((name, _), value) in self.facts.iter().filter(|((name, _), _)| !name.starts_with(MAY_DIFFER)) {
            let is_same = |subject| self.facts.get(&(name.clone(), subject)) == Some(value);
            ensure!(Subject::ALL.into_iter().all(is_same), "{name} is not {value} on all three");
        }
        Ok(())
    }

    fn of(&self, name: &str, subject: Subject) -> Result<&[f64]> {
        let values = self.values.get(&(name.to_owned(), subject));
        values.map(Vec::as_slice).with_context(|| format!("{name} was not measured on {}", subject.name()))
    }

    pub fn spread(&self, name: &str, subject: Subject) -> Result<Spread> {
        Spread::of(self.of(name, subject)?.to_vec())
    }

    /// Of the ratios of the rounds.
    pub fn ratio(&self, name: &str, numerator: Subject, denominator: Subject) -> Result<Spread> {
        let (above, below) = (self.of(name, numerator)?, self.of(name, denominator)?);
        Spread::of(above.iter().zip(below).map(|(above, below)| above / below).collect())
    }

    /// Everything, a line for each name and subject, a column for each round.
    pub fn table(&self) -> String {
        let line = |((name, subject), values): (&(String, Subject), &Vec<f64>)| {
            let values: Vec<_> = values.iter().map(f64::to_string).collect();
            format!("{name}\t{}\t{}\n", subject.name(), values.join("\t"))
        };
        HEADER.to_owned() + &self.values.iter().map(line).collect::<String>()
    }

    /// Reads a table.
    pub fn read(table: &str) -> Result<Self> {
        let mut samples = Self::default();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let name = columns.next().unwrap_or_default();
            let subject =
                columns.next().and_then(|name| Subject::ALL.into_iter().find(|is| is.name() == name));
            let subject = subject.with_context(|| format!("no subject in '{line}'"))?;
            let values = columns.map(str::parse).collect::<Result<_, _>>().context(line.to_owned())?;
            samples.values.insert((name.into(), subject), values);
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(stock: &str, ours: &str, raw: &str) -> Samples {
        let mut samples = Samples::default();
        for (subject, output) in Subject::ALL.into_iter().zip([stock, ours, raw]) {
            samples.add(subject, output).unwrap();
        }
        samples
    }

    #[test]
    fn results_and_facts_are_told_apart() {
        let output = "a/b\t2.5\nfact a/b/cipher\tX\n";
        let samples = samples(output, output, output);
        assert_eq!(samples.of("a/b", Subject::Ours).unwrap(), [2.5]);
        assert!(samples.check(1).is_ok());
        assert!(samples.check(2).is_err());
    }

    #[test]
    fn different_things_are_not_compared() {
        assert!(samples("a\t1\n", "a\t1\nb\t1\n", "a\t1\n").check(1).is_err());
        let (x, y) = ("a\t1\nfact a/cipher\tX\n", "a\t1\nfact a/cipher\tY\n");
        assert!(samples(x, x, x).check(1).is_ok());
        assert!(samples(x, x, y).check(1).is_err());
        assert!(samples("a\t1\n", x, x).check(1).is_err());
        let mut changing = samples(x, x, x);
        assert!(changing.add(Subject::Raw, y).is_err());
    }

    #[test]
    fn ratios_are_those_of_the_rounds_also_when_read_again() {
        let samples = samples("a\t10\na\t40\n", "a\t5\na\t20\n", "a\t1\na\t1\n");
        let ratio =
            Samples::read(&samples.table()).unwrap().ratio("a", Subject::Ours, Subject::Stock).unwrap();
        assert_eq!((ratio.low, ratio.median, ratio.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn quartiles_are_between_the_values_and_rates_are_inverse() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { low: 1.75, median: 2.5, high: 3.25 });
        let spread = Spread { low: 1.0, median: 2.0, high: 4.0 }.map(|value| 1.0 / value);
        assert_eq!(spread, Spread { low: 0.25, median: 0.5, high: 1.0 });
        assert!(Spread::of(Vec::new()).is_err());
    }

    #[test]
    fn small_numbers_have_decimals() {
        assert_eq!([0.5, 5.25, 12.34, 1234.5].map(number), ["0.50", "5.25", "12.3", "1234"]);
    }
}
