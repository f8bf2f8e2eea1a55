// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the instructions of a handshake go, on all three.

use super::markdown::table;
use super::samples::Subject;
use crate::build;
use crate::build::plugin::Flavour;
use crate::system::process::{Run, shell};
use crate::system::workspace;
use crate::test::callgrind::{self, Profile, Split};
use crate::test::qt_program::QtProgram;
use anyhow::Result;

const COUNT: u64 = 5;
const DEAREST: usize = 12;

/// A table of whose they are, and of what OpenSSL is asked for.
pub fn show() -> Result<String> {
    let mut splits = Vec::new();
    let mut calls = Vec::new();
    for subject in Subject::ALL {
        eprintln!("profiling a handshake: {}", subject.name());
        let profile = profile_of(subject)?;
        let flavour = flavour_of(subject);
        splits.push(row(subject, profile.split(flavour).each(COUNT)));
        calls.push((subject, profile.dearest_of_openssl(flavour, DEAREST)));
    }
    let header = ["", "this library", "Qt", "their libc", "OpenSSL", "its libc", "all"];
    let mut text = format!("{}\n{CALLS}\n", table(&header, &splits));
    for (subject, calls) in calls {
        text += &format!("{}\n", ranking(subject.name(), &calls, COUNT));
    }
    Ok(text)
}

/// Functions, and what they cost in one of `count` operations.
pub fn ranking(title: &str, functions: &[(String, u64)], count: u64) -> String {
    let row = |(name, cost): &(String, u64)| vec![name.clone(), (cost / count).to_string()];
    table(&[title, "instructions"], &functions.iter().map(row).collect::<Vec<_>>())
}

const CALLS: &str = "\
In memory, as in the table of handshakes. The functions of OpenSSL that cost most when they are called from outside,
with all that they lead to. A function that calls back, as `SSL_do_handshake` does to send, includes what that leads to.
";

fn row(subject: Subject, split: Split) -> Vec<String> {
    let parts =
        [split.ours, split.qt, split.libc_for_others, split.openssl, split.libc_for_openssl, split.total()];
    std::iter::once(subject.name().to_owned()).chain(parts.map(|part| part.to_string())).collect()
}

/// Raw has no plugin.
fn flavour_of(subject: Subject) -> Flavour {
    if subject == Subject::Stock { Flavour::Stock } else { Flavour::Rust }
}

fn profile_of(subject: Subject) -> Result<Profile> {
    let report = workspace::target(&format!("bench/profile-{}", subject.name()));
    let wrapper = callgrind::wrapper(&report);
    let credentials = workspace::target("bench");
    let arguments = ["profile", &credentials.to_string_lossy(), &COUNT.to_string()];
    if subject == Subject::Raw {
        let [valgrind, options @ ..] = &wrapper;
        shell().cmd(valgrind).args(options).arg(build::program("raw_bench")).args(arguments).quietly()?;
    } else {
        QtProgram::new("dtls_bench", flavour_of(subject)).run_under(&wrapper, &arguments)?;
    }
    Profile::read(&workspace::read(report)?)
}
