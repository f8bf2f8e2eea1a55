// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rounds of measuring.
//!
//! A round runs each group of benchmarks once for each of the three, each in a new process. Only the three results of a
//! round are compared, so that a machine which is slower for a while is so for all of them.

use super::samples::{Samples, Subject};
use crate::build::{self, Flavour};
use crate::system::{Run, cmd, shell, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

pub struct Effort {
    pub rounds: usize,
    /// What `dtls_bench` and `raw_bench` multiply their repetitions by.
    repetitions: usize,
}

impl Effort {
    /// Six minutes on the machine of docs/performance.md.
    pub const USUAL: Self = Self { rounds: 21, repetitions: 60 };
    /// Shows that everything works; its numbers are rough.
    pub const QUICK: Self = Self { rounds: 3, repetitions: 8 };
}

const GROUPS: [&str; 5] = ["handshakes", "server", "memory", "data", "verify"];

pub fn measure(effort: &Effort) -> Result<Samples> {
    let credentials = credentials()?;
    let mut samples = Samples::default();
    for round in 0..effort.rounds {
        eprintln!("round {} of {}", round + 1, effort.rounds);
        for group in GROUPS {
            // The first one changes from round to round.
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
        Subject::Stock => on(Flavour::STOCK),
        Subject::Ours => on(Flavour::OURS),
        Subject::Raw => shell().cmd(build::program("raw_bench")).args(arguments).capture(),
    }
}

/// Makes keys and self-signed certificates for the server, the same for all.
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
