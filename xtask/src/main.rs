// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one entry point for people and CI: `cargo xtask <verb>`.
//!
//! Progress goes to stderr; stdout carries results only, so that `$(cargo xtask plugin | tail -n 1)` is a folder.

mod bench;
mod build;
mod check;
mod cli;
mod debian;
mod interop;
mod lossy;
mod soak;
mod system;
mod test;
mod windows;

use build::plugin::{self, Flavour};
use build::{figures, header, qt_source, sbom};
use check::{abi, size};
use clap::Parser;
use cli::{CommandLine, Verb};
use debian::{matrix, portability, rpm, source_package, wheels};
use std::process::ExitCode;
use system::{Environment, packages};
use test::{autotests, coverage, demo, fuzz, in_tree, key_log, miri, run, suites};

fn main() -> ExitCode {
    let CommandLine { verb, environment } = CommandLine::parse();
    perform(verb, &environment).unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn perform(verb: Verb, environment: &Environment) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Plugin { stock } => {
            packages::ensure(packages::PLUGIN, environment)?;
            let qt_source = qt_source::find(environment)?;
            println!("{}", plugin::build(Flavour::of(stock), &qt_source)?.display());
        }
        Verb::InTree(build) => in_tree::run(&build, environment)?,
        Verb::Demo => return demo::run(environment),
        Verb::Test => run::all(environment)?,
        Verb::Sanitize => run::sanitize(environment)?,
        Verb::Coverage => coverage::run(environment)?,
        Verb::Fuzz { targets, minutes } => fuzz::run(&targets, minutes, environment)?,
        Verb::Hardening => run::hardening(environment)?,
        Verb::Interop { peers, cases } => interop::run(&peers, &cases, environment)?,
        Verb::Sweep { stock, all } => run::sweep(environment, Flavour::of(stock), all)?,
        Verb::Autotests => println!("{}", autotests::run_alone(environment)?),
        Verb::Miri => miri::run()?,
        Verb::Soak { minutes } => soak::run(environment, minutes)?,
        Verb::Suites => suites::run(environment)?,
        Verb::Matrix { suites } => matrix::run(&suites, environment)?,
        Verb::Wheels { suites } => wheels::run(&suites, environment)?,
        Verb::Keylog => key_log::run(environment)?,
        Verb::Windows { here } => windows::run(here, environment)?,
        Verb::Portability => portability::run(environment)?,
        Verb::Deb { suite, architecture: None } => debian::packages::run(&suite, environment)?,
        Verb::Deb { suite, architecture: Some(name) } => {
            debian::packages::run_for(&name, &suite, environment)?
        }
        Verb::DebSource => println!("{}", source_package::run(environment)?.display()),
        Verb::Rpm => rpm::run(environment)?,
        Verb::Sbom => println!("{}", sbom::run(environment)?.display()),
        Verb::Size => {
            build::plugins_for(environment)?;
            size::show()?;
        }
        Verb::Bench { redraw: true, .. } => bench::redraw()?,
        Verb::Bench { start: true, quick, .. } => bench::run_start(environment, quick)?,
        Verb::Bench { endpoint: true, quick, .. } => bench::run_endpoint(environment, quick)?,
        Verb::Bench { quick, .. } => bench::run(environment, quick)?,
        Verb::Lossy { quick } => lossy::run(environment, quick)?,
        Verb::Figures => figures::draw(environment)?,
        Verb::Abi { check: true } => println!("{} passed", abi::run(environment)?),
        Verb::Abi { check: false } => abi::write(environment)?,
        Verb::Header { check: true } => header::check()?,
        Verb::Header { check: false } => header::write()?,
    }
    Ok(ExitCode::SUCCESS)
}
