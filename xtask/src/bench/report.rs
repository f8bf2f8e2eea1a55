// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `docs/performance.md` shows: tables, targets, charts. Its text is in `templates/performance.md`.

use super::chart::bar_chart;
use super::counts::Count;
use super::measure::Effort;
use super::samples::{Samples, Spread, Subject, number};
use crate::system::{machine, template};
use crate::test::callgrind::Split;
use crate::test::cost::MOST_FOR_A_HELLO;
use anyhow::{Context, Result};
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
    #[serde(default)]
    has_no_chart: bool,
    /// Name and label of each.
    rows: Vec<(String, String)>,
}

/// A limit for the median ratio of ours to another's, or without another for ours.
#[derive(Deserialize)]
struct Target {
    what: String,
    name: String,
    than: Option<Subject>,
    limit: f64,
    /// Of a rate: what is measured is its time.
    #[serde(default)]
    is_rate: bool,
    #[serde(default)]
    at_least: bool,
}

impl Target {
    fn found(&self, samples: &Samples) -> Result<Spread> {
        match self.than {
            Some(other) if self.is_rate => samples.ratio(&self.name, other, Subject::Ours),
            Some(other) => samples.ratio(&self.name, Subject::Ours, other),
            None => samples.spread(&self.name, Subject::Ours),
        }
    }

    fn is_reached(&self, value: f64) -> bool {
        if self.at_least { value >= self.limit } else { value <= self.limit }
    }

    fn describe(&self, samples: &Samples) -> Result<Value> {
        let found = self.found(samples)?;
        let beside = self.than.map(|other| format!(", ours / {other}")).unwrap_or_default();
        Ok(context! {
            what => format!("{}{beside}", self.what),
            sign => if self.at_least { "≥" } else { "≤" },
            limit => number(self.limit),
            found => with_spread(found),
            reached => self.is_reached(found.median),
        })
    }
}

/// What callgrind and dhat find in handshakes and connections.
pub struct Profiles {
    /// Of a full handshake and of a resumed one.
    pub handshake: Vec<Value>,
    pub resumed: Vec<Value>,
    /// Of a server's part of a handshake.
    pub server: Vec<(Subject, Split)>,
    /// Of a kept connection's memory.
    pub holders: Vec<Value>,
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
    let plan = plan()?;
    let sections = plan.section.iter().filter(|section| !section.has_no_chart);
    sections.map(|section| Ok((section.name.clone(), section.chart(samples)?))).collect()
}

/// The tables alone.
pub fn quick(samples: &Samples, counts: &[Count]) -> Result<String> {
    render(context! { quick => true, sections => tables(samples)?, counts })
}

pub fn full(effort: &Effort, samples: &Samples, counts: &[Count], profiles: &Profiles) -> Result<String> {
    let Profiles { handshake, resumed, server, holders } = profiles;
    let (rounds, long_rounds) = (effort.rounds, effort.long_rounds);
    let mut targets = targets(samples, counts)?;
    targets.push(of_server(server)?);
    let (machine, sections) = (machine::describe()?, tables(samples)?);
    let server: Vec<_> = server.iter().map(|(subject, split)| context! { subject, split }).collect();
    render(context! {
        quick => false, rounds, long_rounds, machine, targets, sections, counts, handshake, resumed, server, holders
    })
}

/// Shows whether a rate is missed by what is done or by how long the processor waits for it.
fn of_server(profiles: &[(Subject, Split)]) -> Result<Value> {
    let of = |wanted| {
        let profile = profiles.iter().find(|(subject, _)| *subject == wanted);
        profile.map(|(_, split)| split.total() as f64).with_context(|| format!("no profile of {wanted}"))
    };
    let ratio = of(Subject::Ours)? / of(Subject::Raw)?;
    Ok(context! {
        what => "instructions of a server's handshake with one peer, ours / raw",
        sign => "≤",
        limit => number(1.05),
        found => format!("{ratio:.3}"),
        reached => ratio <= 1.05,
    })
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
    let mut targets: Vec<_> = plan()?.target.iter().map(|target| target.describe(samples)).try_collect()?;
    let mut add = |what: String, limit: f64, value: f64, found: String| {
        targets
            .push(context! { what, sign => "≤", limit => number(limit), found, reached => value <= limit });
    };
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

    #[test]
    fn a_rate_is_the_inverse_of_what_is_measured() {
        let mut samples = Samples::default();
        for (subject, value) in [(Subject::Ours, 5), (Subject::Raw, 4)] {
            samples.add(subject, &format!("a\t{value}\n")).unwrap();
        }
        let target = |is_rate, at_least, than| Target {
            what: String::new(),
            name: "a".into(),
            than,
            limit: 1.0,
            is_rate,
            at_least,
        };
        for (is_rate, at_least, than, found, is_reached) in [
            (true, true, Some(Subject::Raw), 0.8, false),
            (false, false, Some(Subject::Raw), 1.25, false),
            (false, true, None, 5.0, true),
            (false, false, None, 5.0, false),
        ] {
            let target = target(is_rate, at_least, than);
            assert_eq!(target.found(&samples).unwrap().median, found);
            assert_eq!(target.is_reached(found), is_reached);
        }
    }

    #[test]
    fn the_committed_samples_fill_the_document() {
        let samples = Samples::read(&workspace::read("docs/performance/samples.tsv").unwrap()).unwrap();
        let (stock, ours) =
            (Split { qt: 6, ..Split::default() }, Split { ours: 7, openssl: 1, ..Split::default() });
        let dearest = vec![("f()".to_owned(), 7)];
        let count = Count { operation: "junk", stock, ours, is_above_stock: true, dearest: dearest.clone() };
        let handshake = context! { subject => "raw", split => stock, dearest };
        let resumed = context! { subject => "ours", split => ours, dearest => [("SSL_free", 8)] };
        let raw = Split { openssl: 4, ..Split::default() };
        let profiles = Profiles {
            handshake: vec![handshake],
            resumed: vec![resumed],
            server: vec![(Subject::Ours, ours), (Subject::Raw, raw)],
            holders: vec![
                context! { subject => "ours", ours => 1, qt => 2, openssl => 3, program => 4, all => 10 },
            ],
        };
        let document = full(&Effort::USUAL, &samples, &[count], &profiles).unwrap();
        for part in [
            "| time of an ECDSA handshake, ours / stock | ≤ 0.50 | ",
            "| rate of a server with 1 peer, ours / raw | ≥ 0.95 | ",
            "| resident memory after an hour / before | ≤ 1.01 | 1.00 ",
            "| junk: instructions outside OpenSSL, ours / stock | ≤ 1.00 | 1.167 | **no** |\n",
            "| instructions of a server's handshake with one peer, ours / raw | ≤ 1.05 | 2.000 | **no** |\n\n## What",
            "| ours | 7 | 0 | 0 | 1 | 0 | 8 |\n| raw | 0 | 0 | 0 | 4 | 0 | 4 |\n",
            "| ours | 1 | 2 | 3 | 4 | 10 |\n",
            "| junk | ours | 7 | 0 | 0 | 7 | 1 | 0 | 8 |\n\n## Operations with",
            "than stock\n\n| junk, ours | instructions |\n|---|---|\n| `f()` | 7 |\n\n## Where",
            "includes that.\n\n| raw | instructions |\n|---|---|\n| `f()` | 7 |\n\n## Where a resumed",
            "| ours | 7 | 0 | 0 | 1 | 0 | 8 |\n\n| ours | instructions |\n|---|---|\n| `SSL_free` | 8 |\n",
        ] {
            assert!(document.contains(part), "'{part}' is not in\n{document}");
        }
        assert_eq!(charts(&samples).unwrap().len(), 6);
    }
}
