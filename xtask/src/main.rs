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
mod environment;
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

use clap::Parser;
use cli::{CommandLine, InTree, Verb};
use environment::Environment;
use in_tree::{Build, Options};
use plugin::Flavour;
use std::process::ExitCode;

fn main() -> ExitCode {
    let CommandLine { verb, no_install, qt_source } = CommandLine::parse();
    match perform(verb, &Environment { install: !no_install, qt_source }) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(verb: Verb, environment: &Environment) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Plugin { stock } => {
            packages::ensure(packages::PLUGIN, environment.install)?;
            let qt_source = qt_source::find(environment.qt_source.as_deref())?;
            println!("{}", plugin::build(flavour(stock), &qt_source)?.display());
        }
        Verb::InTree(InTree { version, static_qt, linked, developer_build, unity, stock }) => {
            let options = Options { static_qt, linked_openssl: linked, developer_build, unity };
            in_tree::run(&Build { version, flavour: flavour(stock), options }, environment)?;
        }
        Verb::Demo => return demo::run(environment),
        Verb::Test => test::run(environment)?,
        Verb::Sanitize => test::run_sanitizers(environment)?,
        Verb::Hardening => test::run_hardening(environment)?,
        Verb::Sweep { stock, all } => test::run_sweep(environment, flavour(stock), all)?,
        Verb::Autotests => println!("{}", autotests::run_alone(environment)?),
        Verb::Matrix { suites } => matrix::run(&suites, environment.install)?,
        Verb::Portability => portability::run(environment.install)?,
        Verb::Deb { suite } => deb::run(&suite, environment.install)?,
        Verb::DebSource => println!("{}", deb_source::run(environment)?.display()),
        Verb::Bench { quick } => bench::run(environment, quick)?,
        Verb::Header { check: true } => header::check()?,
        Verb::Header { check: false } => header::write()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn flavour(stock: bool) -> Flavour {
    if stock { Flavour::Stock } else { Flavour::Rust }
}
