// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `docs/performance.md` shows: tables, targets, charts. Its text is in `templates/performance.md`.

use super::chart::{Group, bar_chart};
use super::counts::Count;
use super::machine;
use super::samples::{Samples, Spread, Subject, number};
use crate::system::template;
use crate::test::cost::MOST_FOR_A_HELLO;
use anyhow::{Context, Result};
use minijinja::{Value, context};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Values of one unit that are shown together.
#[derive(Deserialize)]
struct Section {
    name: String,
    title: String,
    unit: Unit,
    /// Name and label of each.
    rows: Vec<(String, String)>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    Nanoseconds,
    Microseconds,
    PerSecond,
    Kibibytes,
}

impl Unit {
    /// From what is measured, nanoseconds or bytes, to what is shown.
    fn convert(self, value: f64) -> f64 {
        match self {
            Self::Nanoseconds => value,
            Self::Microseconds => value / 1e3,
            Self::PerSecond => 1e9 / value,
            Self::Kibibytes => value / 1024.0,
        }
    }
}

fn sections() -> Result<Vec<Section>> {
    let mut sections: BTreeMap<String, _> = toml::from_str(include_str!("../../templates/sections.toml"))?;
    sections.remove("section").context("no sections")
}

impl Section {
    fn table(&self, samples: &Samples) -> Result<Value> {
        let row = |(name, label): &(String, String)| {
            let [stock, ours, raw] = self.medians_and_quartiles(samples, name)?;
            let [of_stock, of_raw] =
                [self.ratio(samples, name, Subject::Stock)?, self.ratio(samples, name, Subject::Raw)?];
            let [stock, ours, raw] = [stock, ours, raw].map(|spread| number(spread.median));
            Ok([label.clone(), stock, ours, raw, with_spread(of_stock), with_spread(of_raw)])
        };
        let rows = self.rows.iter().map(row).collect::<Result<Vec<[String; 6]>>>()?;
        Ok(context! { title => self.title, rows })
    }

    fn chart(&self, samples: &Samples) -> Result<String> {
        let group = |(name, label): &(String, String)| {
            Ok(Group { label: label.clone(), bars: self.medians_and_quartiles(samples, name)? })
        };
        bar_chart(&self.title, &self.rows.iter().map(group).collect::<Result<Vec<_>>>()?)
    }

    /// Of each subject, in the unit that is shown.
    fn medians_and_quartiles(&self, samples: &Samples, name: &str) -> Result<[Spread; 3]> {
        let [stock, ours, raw] = Subject::ALL.map(|subject| samples.spread(name, subject));
        Ok([stock?, ours?, raw?].map(|spread| spread.map(|value| self.unit.convert(value))))
    }

    /// Ours to another's, in the unit that is shown.
    fn ratio(&self, samples: &Samples, name: &str, other: Subject) -> Result<Spread> {
        let inverse = matches!(self.unit, Unit::PerSecond);
        let (above, below) = if inverse { (other, Subject::Ours) } else { (Subject::Ours, other) };
        samples.ratio(name, above, below)
    }
}

/// Name and contents of each chart.
pub fn charts(samples: &Samples) -> Result<Vec<(String, String)>> {
    sections()?.iter().map(|section| Ok((section.name.clone(), section.chart(samples)?))).collect()
}

/// The tables alone.
pub fn quick(samples: &Samples, counts: &[Count]) -> Result<String> {
    render(context! { quick => true, sections => tables(samples)?, counts })
}

/// The document.
pub fn full(rounds: usize, samples: &Samples, counts: &[Count], handshake: &[Value]) -> Result<String> {
    let (machine, targets, sections) = (machine::describe()?, targets(samples, counts)?, tables(samples)?);
    render(context! { quick => false, rounds, machine, targets, sections, counts, handshake })
}

fn render(context: Value) -> Result<String> {
    template::render(include_str!("../../templates/performance.md"), context)
}

fn tables(samples: &Samples) -> Result<BTreeMap<String, Value>> {
    sections()?.iter().map(|section| Ok((section.name.clone(), section.table(samples)?))).collect()
}

/// Median, and quartiles in brackets.
fn with_spread(spread: Spread) -> String {
    format!("{:.2} ({:.2}–{:.2})", spread.median, spread.low, spread.high)
}

/// Limits of the medians of what is measured, and of the counts.
fn targets(samples: &Samples, counts: &[Count]) -> Result<Vec<Value>> {
    use Subject::{Ours, Raw, Stock};
    let mut targets = Vec::new();
    let mut add = |what: String, limit: f64, value: f64, found: String| {
        targets.push(context! { what, limit => number(limit), found, reached => value <= limit });
    };
    for (what, name, below, limit) in [
        ("time of an ECDSA handshake", "handshake/ecdsa", Stock, 0.5),
        ("time of an ECDSA handshake", "handshake/ecdsa", Raw, 1.3),
        ("the same with the system's CA certificates", "handshake/ecdsa-cas", Stock, 0.35),
        ("time of an RSA handshake", "handshake/rsa", Stock, 0.55),
        ("resident memory of a kept server connection", "memory/rss", Raw, 1.0),
        ("time of a write of 64 bytes", "write/64", Stock, 1.0),
        ("time of a write of 8 KiB", "write/8192", Stock, 1.0),
        ("time of decrypting 64 bytes", "decrypt/64", Stock, 1.0),
        ("time of decrypting 8 KiB", "decrypt/8192", Stock, 1.0),
    ] {
        let ratio = samples.ratio(name, Ours, below)?;
        add(format!("{what}, ours / {}", below.name()), limit, ratio.median, with_spread(ratio));
    }
    for Count { operation, stock, ours, .. } in counts {
        let mut add = |what, limit, value| {
            let found = if value < 10.0 { format!("{value:.3}") } else { number(value) };
            add(format!("{operation}: {what}"), limit, value, found);
        };
        let [outside, outside_stock] = [ours, stock].map(|split| split.outside_openssl() as f64);
        let all = ours.total() as f64 / stock.total() as f64;
        if operation.starts_with("hello") {
            add("all instructions, ours / stock", 0.5, all);
        }
        match *operation {
            "hello-without-cookie" | "hello-with-wrong-cookie" => {
                add("instructions outside OpenSSL", MOST_FOR_A_HELLO as f64, outside);
            }
            "junk" => add("instructions outside OpenSSL, ours / stock", 1.0, outside / outside_stock),
            "write-64" | "read-64" => add("all instructions, ours / stock", 1.03, all),
            "write-8192" | "read-8192" => add("all instructions, ours / stock", 1.0, all),
            _ => {}
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::workspace;
    use crate::test::callgrind::Split;

    #[test]
    fn the_committed_samples_fill_the_document() {
        let samples = Samples::read(&workspace::read("docs/performance/samples.tsv").unwrap()).unwrap();
        let (stock, ours) =
            (Split { qt: 6, ..Split::default() }, Split { ours: 7, openssl: 1, ..Split::default() });
        let dearest = vec![("f()".to_owned(), 7)];
        let count = Count { operation: "junk", stock, ours, is_above_stock: true, dearest: dearest.clone() };
        let handshake = context! { subject => "raw", split => stock, dearest };
        let document = full(21, &samples, &[count], &[handshake]).unwrap();
        for part in [
            "| time of an ECDSA handshake, ours / stock | ≤ 0.50 | ",
            "| junk: instructions outside OpenSSL, ours / stock | ≤ 1.00 | 1.167 | **no** |\n\n## Handshakes, µs",
            "| junk | ours | 7 | 0 | 0 | 7 | 1 | 0 | 8 |\n\n## Operations with",
            "than stock\n\n| junk, ours | instructions |\n|---|---|\n| `f()` | 7 |\n\n## Where",
            "includes that.\n\n| raw | instructions |\n|---|---|\n| `f()` | 7 |\n",
        ] {
            assert!(document.contains(part), "'{part}' is not in\n{document}");
        }
        assert_eq!(charts(&samples).unwrap().len(), 5);
    }
}
