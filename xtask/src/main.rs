// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one entry point for people and CI: `cargo xtask <verb>`.
//!
//! Progress goes to stderr; stdout carries results only, so that `$(cargo xtask plugin | tail -n 1)` is a folder.

mod autotests;
mod bench;
mod callgrind;
mod checks;
mod chroot;
mod cli;
mod cmake;
mod coredump;
mod cost;
mod deb;
mod deb_source;
mod demo;
mod deny;
mod elf;
mod forced_include;
mod hardening;
mod header;
mod in_tree;
mod matrix;
mod memcheck;
mod packages;
mod plugin;
mod portability;
mod process;
mod qt_program;
mod qt_source;
mod refusals;
mod sanitize;
mod sweep;
mod test;
mod workspace;

use cli::{Request, Verb};
use std::process::ExitCode;

fn main() -> ExitCode {
    let request = match cli::parse(std::env::args().skip(1)) {
        Ok(request) => request,
        Err(usage) => {
            eprintln!("xtask: {usage}; see `cargo xtask --help`");
            return ExitCode::from(2);
        }
    };
    match perform(&request) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(request: &Request) -> anyhow::Result<ExitCode> {
    match request.verb {
        Verb::Help => print!("{}", cli::help()),
        Verb::Plugin { flavour } => {
            packages::ensure(packages::PLUGIN, request.install)?;
            let qt_source = qt_source::find(request.qt_source.as_deref())?;
            println!("{}", plugin::build(flavour, &qt_source)?.display());
        }
        Verb::InTree(ref build) => in_tree::run(build, request)?,
        Verb::Demo => return demo::run(request),
        Verb::Test => test::run(request)?,
        Verb::Sanitize => test::run_sanitizers(request)?,
        Verb::Hardening => test::run_hardening(request)?,
        Verb::Sweep { flavour, all } => test::run_sweep(request, flavour, all)?,
        Verb::Autotests => println!("{}", autotests::run_alone(request)?),
        Verb::Matrix { ref suites } => matrix::run(suites, request.install)?,
        Verb::Portability => portability::run(request.install)?,
        Verb::Deb { ref suite } => deb::run(suite, request.install)?,
        Verb::DebSource => {
            println!("{}", deb_source::run(request.install, request.qt_source.as_deref())?.display());
        }
        Verb::Bench { quick } => bench::run(request, quick)?,
        Verb::Header { check: true } => header::check()?,
        Verb::Header { check: false } => header::write()?,
    }
    Ok(ExitCode::SUCCESS)
}
