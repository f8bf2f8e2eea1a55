// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bench`: stock, ours and the OpenSSL under both, measured in turns on one machine.
//!
//! A round runs each group of benchmarks once for each of the three, in a process of its own. What is compared are the
//! three results of a round, so that a machine which is slower for a while is so for all of them.

mod effort;
mod instructions;
mod machine;
mod markdown;
mod profile;
mod report;
mod samples;
mod statistics;
mod svg;
mod targets;

use crate::build;
use crate::build::plugin::Flavour;
use crate::system::process::{Run, cmd, shell};
use crate::system::{Environment, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result};
use effort::Effort;
use samples::{Samples, Subject};
use std::fs;
use std::path::{Path, PathBuf};

const GROUPS: [&str; 5] = ["handshakes", "server", "memory", "data", "verify"];

pub fn run(environment: &Environment, quick: bool) -> Result<()> {
    build::for_tests(environment)?;
    let effort = if quick { Effort::QUICK } else { Effort::USUAL };
    let samples = measure(&effort)?;
    let counts = instructions::count()?;
    let report = report::Report { effort: &effort, samples: &samples, counts: &counts };
    if quick {
        println!("{}", report.results()?);
    } else {
        report.write()?;
    }
    Ok(())
}

fn measure(effort: &Effort) -> Result<Samples> {
    let credentials = credentials()?;
    let mut samples = Samples::default();
    for round in 0..effort.rounds {
        eprintln!("round {} of {}", round + 1, effort.rounds);
        for group in GROUPS {
            // Nobody is always the first.
            for turn in 0..Subject::ALL.len() {
                let subject = Subject::ALL[(round + turn) % Subject::ALL.len()];
                let output = run_group(subject, group, &credentials, effort)?;
                samples.add(subject, &output).with_context(|| format!("{group} of {}", subject.name()))?;
            }
        }
    }
    samples.check(effort.rounds)?;
    Ok(samples)
}

fn run_group(subject: Subject, group: &str, credentials: &Path, effort: &Effort) -> Result<String> {
    let repetitions = effort.repetitions.to_string();
    let arguments = [group, &credentials.to_string_lossy(), &repetitions];
    let on = |flavour| QtProgram::new("dtls_bench", flavour).run(&arguments);
    match subject {
        Subject::Stock => on(Flavour::Stock),
        Subject::Ours => on(Flavour::Rust),
        Subject::Raw => shell().cmd(build::program("raw_bench")).args(arguments).capture(),
    }
}

/// Keys and self-signed certificates for the server, the same for all.
fn credentials() -> Result<PathBuf> {
    const KEYS: [(&str, &[&str]); 2] = [
        ("rsa", &["-newkey", "rsa:2048"]),
        ("ecdsa", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]),
    ];
    let folder = workspace::target("bench");
    fs::create_dir_all(&folder)?;
    for (name, kind) in KEYS {
        let file = folder.join(name);
        let (certificate, key) = (file.with_extension("crt"), file.with_extension("key"));
        let subject = ["-subj", "/CN=bench.example", "-addext", "subjectAltName=DNS:bench.example"];
        let request = cmd!(shell(), "openssl req -x509 -nodes -days 2 {subject...} {kind...}");
        request.arg("-keyout").arg(key).arg("-out").arg(certificate).quietly()?;
    }
    Ok(folder)
}
