// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `docs/performance.md` shows: tables, targets, charts. Its text is in `templates/performance.md`.

use super::chart::bar_chart;
use super::counts::Count;
use super::samples::{Samples, Spread, Subject, number};
use crate::system::{machine, template};
use crate::test::cost::MOST_FOR_A_HELLO;
use anyhow::Result;
use itertools::Itertools;
use minijinja::{Value, context};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::slice::from_ref;

/// Values of one unit that are shown together.
#[derive(Deserialize)]
struct Section {
    name: String,
    title: String,
    /// In nanoseconds or bytes, which is what is measured. A rate is per this unit.
    unit: f64,
    #[serde(default)]
    is_rate: bool,
    /// Name and label of each.
    rows: Vec<(String, String)>,
}

/// A limit for the median ratio of ours to another's.
#[derive(Deserialize)]
struct Target {
    what: String,
    name: String,
    than: Subject,
    limit: f64,
}

#[derive(Deserialize)]
struct Plan {
    section: Vec<Section>,
    target: Vec<Target>,
}

fn plan() -> Result<Plan> {
    Ok(toml::from_str(include_str!("../../templates/performance.toml"))?)
}

impl Section {
    fn table(&self, samples: &Samples) -> Result<Value> {
        let row = |(name, label): &(String, String)| {
            let medians = self.spreads(samples, name)?.map(|spread| number(spread.median));
            let [of_stock, of_raw] =
                [Subject::Stock, Subject::Raw].map(|other| self.ratio(samples, name, other));
            let ratios = [of_stock?, of_raw?].map(with_spread);
            anyhow::Ok([from_ref(label), &medians, &ratios].concat())
        };
        let rows: Vec<_> = self.rows.iter().map(row).try_collect()?;
        Ok(context! { title => self.title, rows })
    }

    fn chart(&self, samples: &Samples) -> Result<String> {
        let group =
            |(name, label): &(String, String)| anyhow::Ok((label.clone(), self.spreads(samples, name)?));
        let groups: Vec<_> = self.rows.iter().map(group).try_collect()?;
        bar_chart(&self.title, &groups)
    }

    /// Of each subject, in the unit that is shown.
    fn spreads(&self, samples: &Samples, name: &str) -> Result<[Spread; 3]> {
        let convert = |value| if self.is_rate { self.unit / value } else { value / self.unit };
        let spread = |subject| samples.spread(name, subject).map(|spread| spread.map(convert));
        Ok([spread(Subject::Stock)?, spread(Subject::Ours)?, spread(Subject::Raw)?])
    }

    /// Ours to another's, in the unit that is shown.
    fn ratio(&self, samples: &Samples, name: &str, other: Subject) -> Result<Spread> {
        let (above, below) = if self.is_rate { (other, Subject::Ours) } else { (Subject::Ours, other) };
        samples.ratio(name, above, below)
    }
}

pub fn charts(samples: &Samples) -> Result<Vec<(String, String)>> {
    plan()?.section.iter().map(|section| Ok((section.name.clone(), section.chart(samples)?))).collect()
}

/// The tables alone.
pub fn quick(samples: &Samples, counts: &[Count]) -> Result<String> {
    render(context! { quick => true, sections => tables(samples)?, counts })
}

/// The last two are profiles of a full handshake and of a resumed one.
pub fn full(
    rounds: usize,
    samples: &Samples,
    counts: &[Count],
    [handshake, resumed]: [&[Value]; 2],
) -> Result<String> {
    let (machine, targets, sections) = (machine::describe()?, targets(samples, counts)?, tables(samples)?);
    render(context! { quick => false, rounds, machine, targets, sections, counts, handshake, resumed })
}

fn render(context: Value) -> Result<String> {
    template::render(include_str!("../../templates/performance.md"), context)
}

fn tables(samples: &Samples) -> Result<BTreeMap<String, Value>> {
    plan()?.section.iter().map(|section| Ok((section.name.clone(), section.table(samples)?))).collect()
}

/// Median, and quartiles in brackets.
pub fn with_spread(spread: Spread) -> String {
    format!("{:.2} ({:.2}–{:.2})", spread.median, spread.low, spread.high)
}

/// Limits of the medians of what is measured, and of the counts.
fn targets(samples: &Samples, counts: &[Count]) -> Result<Vec<Value>> {
    let mut targets = Vec::new();
    let mut add = |what: String, limit: f64, value: f64, found: String| {
        targets.push(context! { what, limit => number(limit), found, reached => value <= limit });
    };
    for Target { what, name, than, limit } in plan()?.target {
        let ratio = samples.ratio(&name, Subject::Ours, than)?;
        add(format!("{what}, ours / {than}"), limit, ratio.median, with_spread(ratio));
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
        let resumed = context! { subject => "ours", split => ours, dearest => [("SSL_free", 8)] };
        let document = full(21, &samples, &[count], [&[handshake], &[resumed]]).unwrap();
        for part in [
            "| time of an ECDSA handshake, ours / stock | ≤ 0.50 | ",
            "| junk: instructions outside OpenSSL, ours / stock | ≤ 1.00 | 1.167 | **no** |\n\n## What the numbers mean\n\n**For",
            "| junk | ours | 7 | 0 | 0 | 7 | 1 | 0 | 8 |\n\n## Operations with",
            "than stock\n\n| junk, ours | instructions |\n|---|---|\n| `f()` | 7 |\n\n## Where",
            "includes that.\n\n| raw | instructions |\n|---|---|\n| `f()` | 7 |\n\n## Where a resumed",
            "| ours | 7 | 0 | 0 | 1 | 0 | 8 |\n\n| ours | instructions |\n|---|---|\n| `SSL_free` | 8 |\n",
        ] {
            assert!(document.contains(part), "'{part}' is not in\n{document}");
        }
        assert_eq!(charts(&samples).unwrap().len(), 5);
    }
}
