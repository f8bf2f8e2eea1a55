// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rounds of measuring.
//!
//! A round runs each group of benchmarks once for each of the three, each in a new process. Only the three results of a
//! round are compared. The three processes take turns of a few milliseconds, but for groups that use two processors, or
//! measure no time: they run one after the other.

use super::samples::{Samples, Subject};
use super::turns::{self, Player};
use crate::build::{self, Flavour};
use crate::system::{Cmd, Run, cmd, shell, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result};
use std::fs;
use std::process::Command;
use strum::VariantArray;

pub struct Effort {
    pub rounds: usize,
    /// The first of them also run the groups that take long.
    pub long_rounds: usize,
    pub rounds_of_endpoint: usize,
    pub rounds_of_start: usize,
    /// What `dtls_bench` and `raw_bench` multiply their repetitions by.
    repetitions: u64,
}

impl Effort {
    /// Half an hour on the machine of docs/performance.md.
    pub const USUAL: Self =
        Self { rounds: 21, long_rounds: 5, rounds_of_endpoint: 15, rounds_of_start: 101, repetitions: 60 };
    /// Shows that everything works; its numbers are rough.
    pub const QUICK: Self =
        Self { rounds: 3, long_rounds: 1, rounds_of_endpoint: 1, rounds_of_start: 5, repetitions: 8 };

    /// Of what is measured under this name.
    fn rounds_of(&self, name: &str) -> usize {
        let is_long = LONG_GROUPS.iter().any(|group| name.split('/').next() == Some(group));
        if is_long { self.long_rounds } else { self.rounds }
    }
}

const GROUPS: [&str; 5] = ["handshakes", "server", "data", "verify", "threads"];

/// What they measure is named after them.
const LONG_GROUPS: [&str; 2] = ["many", "memory"];
const ONE_AFTER_THE_OTHER: [&str; 2] = ["threads", "memory"];

pub fn measure(effort: &Effort) -> Result<Samples> {
    make_credentials()?;
    let mut samples = Samples::default();
    let (undisturbed, one_processor) = (undisturbed()?, one_processor()?);
    for round in 0..effort.rounds {
        eprintln!("round {} of {}", round + 1, effort.rounds);
        let long_groups = LONG_GROUPS.iter().filter(|_| round < effort.long_rounds);
        for group in GROUPS.iter().chain(long_groups) {
            // The first one changes from round to round.
            let mut subjects = Subject::VARIANTS.to_vec();
            subjects.rotate_left(round % Subject::VARIANTS.len());
            let outputs = match ONE_AFTER_THE_OTHER.contains(group) {
                true => {
                    let wrapper = if *group == "threads" { undisturbed.as_slice() } else { &[] };
                    one_after_the_other(&subjects, wrapper, group, effort.repetitions)
                }
                false => in_turns(&subjects, &one_processor, group, effort.repetitions),
            };
            for (subject, output) in outputs? {
                samples.add(subject, &output).with_context(|| format!("{group} of {subject}"))?;
            }
        }
    }
    samples.check(|name| effort.rounds_of(name), Subject::VARIANTS)?;
    Ok(samples)
}

fn one_after_the_other(
    subjects: &[Subject],
    wrapper: &[String],
    group: &str,
    repetitions: u64,
) -> Result<Vec<(Subject, String)>> {
    let outputs = subjects.iter().map(|subject| Ok((*subject, subject.run(wrapper, group, repetitions)?)));
    outputs.collect()
}

fn in_turns(
    subjects: &[Subject],
    wrapper: &[String],
    group: &str,
    repetitions: u64,
) -> Result<Vec<(Subject, String)>> {
    let start = |subject: &Subject| {
        let command = subject.command(wrapper, &[group, &folder(), &repetitions.to_string(), "turns"])?;
        Player::start(*subject, command)
    };
    let outputs = turns::play(subjects.iter().map(start).collect::<Result<_>>()?)?;
    subjects
        .iter()
        .filter_map(|subject| subject.program())
        .try_for_each(|program| program.require_plugin())?;
    Ok(outputs)
}

/// The last one that we may use.
fn one_processor() -> Result<Vec<String>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let last = allowed.and_then(|list| list.trim().rsplit([',', '-']).next()).context("no processor")?;
    Ok(["taskset", "--cpu-list", last].map(String::from).to_vec())
}

/// Two threads at the same time need two processors for themselves: others wait, where the system allows that.
fn undisturbed() -> Result<Vec<String>> {
    let chrt = ["chrt", "-f", "10"];
    let is_allowed = cmd!(shell(), "env {chrt...} true").outcome()?.status.success();
    Ok(if is_allowed { chrt.map(String::from).to_vec() } else { Vec::new() })
}

impl Subject {
    /// Runs a group of its benchmarks by way of `wrapper`, a program and its arguments.
    pub fn run(self, wrapper: &[String], group: &str, repetitions: u64) -> Result<String> {
        let arguments = [group, &folder(), &repetitions.to_string()];
        match self.program() {
            Some(program) => program.run_under(wrapper, &arguments),
            None => raw(wrapper, &arguments).capture(),
        }
    }

    fn command(self, wrapper: &[String], arguments: &[&str]) -> Result<Command> {
        match self.program() {
            Some(program) => program.command(wrapper, arguments),
            None => Ok(raw(wrapper, arguments).into()),
        }
    }

    /// The program with Qt that measures it.
    fn program(self) -> Option<QtProgram<'static>> {
        let on = |flavour| Some(QtProgram::new("dtls_bench", flavour));
        match self {
            Self::Stock => on(Flavour::STOCK),
            Self::Ours => on(Flavour::OURS),
            Self::Raw => None,
        }
    }
}

fn raw(wrapper: &[String], arguments: &[&str]) -> Cmd<'static> {
    let program = build::program("raw_bench");
    cmd!(shell(), "env {wrapper...} {program} {arguments...}")
}

fn folder() -> String {
    workspace::target(FOLDER).to_string_lossy().into_owned()
}

/// Where the keys and certificates are.
pub const FOLDER: &str = "bench";

/// Makes keys and self-signed certificates for the server, the same for all.
pub fn make_credentials() -> Result<()> {
    const KEYS: [(&str, &[&str]); 2] = [
        ("rsa", &["-newkey", "rsa:2048"]),
        ("ecdsa", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]),
    ];
    let folder = workspace::target(FOLDER);
    fs::create_dir_all(&folder)?;
    for (name, kind) in KEYS {
        let file = folder.join(name);
        let (certificate, key) = (file.with_extension("crt"), file.with_extension("key"));
        let subject = ["-subj", "/CN=bench.example", "-addext", "subjectAltName=DNS:bench.example"];
        let request = cmd!(shell(), "openssl req -x509 -nodes -days 2 {subject...} {kind...}");
        request.arg("-keyout").arg(key).arg("-out").arg(certificate).quietly()?;
    }
    Ok(())
}
