// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server of the endpoint beside one of OpenSSL alone: `benches/endpoint`, and its part of `docs/performance.md`.

use super::measure::{FOLDER, make_credentials};
use super::report::with_spread;
use super::samples::{Samples, Spread, Subject, number};
use crate::build::cmake;
use crate::system::{Environment, Run, cmd, machine, packages, shell, template, workspace};
use anyhow::{Context, Result};
use itertools::Itertools;
use minijinja::{Value, context};

/// What the part begins with. It is the last one of the document.
const HEADING: &str = "\n## Endpoint";
const SUBJECTS: [Subject; 2] = [Subject::Ours, Subject::Raw];
const PEERS: [u32; 4] = [1, 100, 1000, 10_000];
/// Handshakes of a sample, at least.
const EFFORT: u32 = 1000;
/// The lowest rate that is good enough, beside OpenSSL's.
const LEAST_RATE: f64 = 0.95;

/// Name, label, unit in nanoseconds or bytes, and whether a rate is shown.
const ROWS: [(&str, &str, f64, bool); 3] = [
    ("handshake", "handshakes per second", 1e9, true),
    ("message", "messages per second", 1e9, true),
    ("memory", "KiB resident for each peer", 1024.0, false),
];

/// Each round measures both at once.
pub fn measure(rounds: usize, environment: &Environment) -> Result<Samples> {
    packages::ensure(packages::ENDPOINT, environment)?;
    make_credentials()?;
    let build_dir = workspace::target("endpoint-bench");
    cmake::build("benches/endpoint", &build_dir, &[cmake::define("CMAKE_BUILD_TYPE", "Release")])?;
    let (program, folder) = (build_dir.join("endpoint_bench"), workspace::target(FOLDER));
    let mut samples = Samples::default();
    for round in 0..rounds {
        eprintln!("endpoint: round {} of {rounds}", round + 1);
        for peers in PEERS {
            let numbers = [peers.to_string(), EFFORT.to_string()];
            let output = cmd!(shell(), "{program} {folder} {numbers...}").capture()?;
            for subject in SUBJECTS {
                samples.add(subject, &lines_of(subject, &output))?;
            }
        }
    }
    samples.check(|_| rounds, &SUBJECTS)?;
    Ok(samples)
}

/// The lines of one of the servers, which begin with its name.
fn lines_of(subject: Subject, output: &str) -> String {
    let lines = output.lines().filter_map(|line| line.strip_prefix(&format!("{subject}\t")));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The part of the document.
pub fn part(rounds: usize, samples: &Samples) -> Result<String> {
    let names = ROWS.iter().cartesian_product(PEERS);
    let measured = names.filter(|((name, ..), peers)| *name != "memory" || *peers >= 1000);
    let rows: Vec<Value> = measured.map(|(row, peers)| row_of(samples, row, peers)).try_collect()?;
    let machine = machine::describe()?;
    template::render(
        include_str!("../../templates/endpoint.md"),
        context! { rounds, rows, machine, effort => EFFORT },
    )
}

fn row_of(samples: &Samples, row: &(&str, &str, f64, bool), peers: u32) -> Result<Value> {
    let (name, label, unit, is_rate) = *row;
    let name = format!("endpoint/{name}/{peers}");
    let convert = |value| if is_rate { unit / value } else { value / unit };
    let of = |subject| samples.spread(&name, subject).map(|spread| spread.map(convert).median);
    let (ours, raw) = (number(of(Subject::Ours)?), number(of(Subject::Raw)?));
    let (above, below) = if is_rate { (Subject::Raw, Subject::Ours) } else { (Subject::Ours, Subject::Raw) };
    let ratio: Spread = samples.ratio(&name, above, below)?;
    let target = if is_rate { format!("≥ {LEAST_RATE}") } else { String::new() };
    let reached = match (is_rate, ratio.median >= LEAST_RATE) {
        (false, _) => "",
        (true, true) => "yes",
        (true, false) => "**no**",
    };
    Ok(context! { label, peers, ours, raw, ratio => with_spread(ratio), target, reached })
}

/// The document with this part.
pub fn put_into(document: &str, part: &str) -> Result<String> {
    let before = document.split(HEADING).next().context("no document")?;
    Ok(format!("{}\n\n{part}", before.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_samples_fill_their_part() {
        let table = workspace::read(super::super::ENDPOINT_SAMPLES).unwrap();
        let part = part(15, &Samples::read(&table).unwrap()).unwrap();
        assert!(part.starts_with(HEADING.trim_start()), "{part}");
        for text in ["| handshakes per second | 1 | ", "| KiB resident for each peer | 10000 | "] {
            assert!(part.contains(text), "{text} is not in\n{part}");
        }
        assert_eq!(part.matches("| ≥ 0.95 |").count(), 8, "{part}");
    }

    #[test]
    fn the_part_is_the_last_one_and_there_once() {
        let document = put_into("# A\n\n## B\n", "## Endpoint\nold\n").unwrap();
        assert_eq!(put_into(&document, "## Endpoint\nnew\n").unwrap(), "# A\n\n## B\n\n## Endpoint\nnew\n");
    }
    #[test]
    fn each_server_has_its_lines() {
        let output = "ours\ta\t1\nraw\ta\t2\nours\tb\t3\n";
        assert_eq!(SUBJECTS.map(|subject| lines_of(subject, output)), ["a\t1\nb\t3\n", "a\t2\n"]);
    }
}
