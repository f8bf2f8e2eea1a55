// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a process does once, on stock and ours, and the plugins' sizes: their part of `docs/performance.md`.

use super::measure::make_credentials;
use super::report::with_spread;
use super::samples::{Samples, Subject, number};
use crate::build::Flavour;
use crate::check::size;
use crate::system::{machine, template, workspace};
use crate::test::callgrind::{self, Profile};
use anyhow::{Context, Result};
use minijinja::{Value, context};

const HEADING: &str = "\n## Start-up and size\n";
const SUBJECTS: [Subject; 2] = [Subject::Stock, Subject::Ours];

/// Name, label, and the highest ratio of ours to stock's time and instructions that is good enough.
const STEPS: [(&str, &str, f64); 2] =
    [("start/load", "the first QDtls", 1.1), ("start/handshake", "the first handshake", 1.0)];

/// Instructions of a step on stock and ours.
pub type Counts = [[u64; 2]; STEPS.len()];

/// The two take turns; in the next round the other one begins.
pub fn measure(rounds: usize) -> Result<Samples> {
    make_credentials()?;
    let mut samples = Samples::default();
    for (round, turn) in (0..rounds).flat_map(|round| [(round, 0), (round, 1)]) {
        let subject = SUBJECTS[(round + turn) % SUBJECTS.len()];
        samples.add(subject, &subject.run(&[], "start", 1)?)?;
    }
    samples.check(|_| rounds, &SUBJECTS)?;
    Ok(samples)
}

pub fn counts() -> Result<Counts> {
    let mut counts = Counts::default();
    for ((name, ..), counts) in STEPS.iter().zip(&mut counts) {
        for (subject, count) in SUBJECTS.iter().zip(counts) {
            eprintln!("counting instructions: {name} of {subject}");
            let report = workspace::target("bench/profile-start");
            subject.run(&callgrind::wrapper(&report), name, 1)?;
            let flavour = Flavour::of(*subject == Subject::Stock);
            *count = Profile::read(&workspace::read(report)?, flavour, 1)?.all();
        }
    }
    Ok(counts)
}

/// The part of the document.
pub fn part(rounds: usize, samples: &Samples, counts: &Counts, bytes: Vec<[String; 3]>) -> Result<String> {
    let mut rows = Vec::new();
    for ((name, label, limit), [stock, ours]) in STEPS.iter().zip(counts) {
        let of = |subject| samples.spread(name, subject).map(|spread| number(spread.median / 1e3));
        let ratio = samples.ratio(name, Subject::Ours, Subject::Stock)?;
        let values = [of(Subject::Stock)?, of(Subject::Ours)?];
        rows.push(row(format!("{label}, µs"), values, with_spread(ratio), ratio.median, *limit));
        let ratio = *ours as f64 / *stock as f64;
        let values = [stock, ours].map(u64::to_string);
        rows.push(row(format!("{label}, instructions"), values, format!("{ratio:.3}"), ratio, *limit));
    }
    let [_, _, ours] = bytes.last().context("no sizes")?;
    let (ours, most) = (ours.parse::<u64>()?, size::MOST);
    let machine = machine::describe()?;
    template::render(
        include_str!("../../templates/start.md"),
        context! { rounds, rows, bytes, ours, most, machine },
    )
}

fn row(what: String, [stock, ours]: [String; 2], found: String, ratio: f64, limit: f64) -> Value {
    let reached = if ratio <= limit { "yes" } else { "**no**" };
    context! { what, stock, ours, found, limit => number(limit), reached }
}

/// The document with this part, in the place of an earlier one or before the endpoint's.
pub fn put_into(document: &str, part: &str) -> String {
    let (before, rest) = document
        .split_once(HEADING)
        .unwrap_or_else(|| document.split_at(document.find("\n## Endpoint").unwrap_or(document.len())));
    let after = rest.find("\n## ").map_or("", |next| &rest[next..]);
    format!("{}\n\n{part}{after}", before.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_there_once_before_the_endpoint() {
        let part = "## Start-up and size\nnew\n";
        for document in [
            "# A\n\n## B\nb\n\n## Endpoint\n",
            "# A\n\n## B\nb\n\n## Start-up and size\nold\n\n## Endpoint\n",
        ] {
            assert_eq!(
                put_into(document, part),
                "# A\n\n## B\nb\n\n## Start-up and size\nnew\n\n## Endpoint\n"
            );
        }
        assert_eq!(put_into("# A\n", part), "# A\n\n## Start-up and size\nnew\n");
    }

    #[test]
    fn the_committed_samples_fill_their_part() {
        let table = workspace::read(super::super::START_SAMPLES).unwrap();
        let bytes = vec![["all", "300000", "600000"].map(String::from)];
        let part = part(9, &Samples::read(&table).unwrap(), &[[100, 120], [100, 99]], bytes).unwrap();
        assert!(part.starts_with(HEADING.trim_start()), "{part}");
        for text in [
            "| the first QDtls, instructions | 100 | 120 | 1.200 | ≤ 1.10 | **no** |",
            "| the first handshake, instructions | 100 | 99 | 0.990 | ≤ 1.00 | yes |",
            "has 600000 bytes; at most 573440 are allowed: **no**.",
        ] {
            assert!(part.contains(text), "{text} is not in\n{part}");
        }
    }
}
