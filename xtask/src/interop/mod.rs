// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask interop`: a client and a server on QDtls against the DTLS of others, on our plugin and on stock.

mod cases;
mod certificates;
mod examples;
pub mod peers;
pub mod process;
mod python;
mod relay;
mod report;
mod runner;
pub mod statistics;
pub mod trial;

use crate::build::{self, Flavour, qt_source};
use crate::system::{Environment, packages, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};
use cases::{Case, Role};
use itertools::{Itertools, iproduct};
use peers::Peer;
use runner::{Cell, Endpoints};
use std::path::PathBuf;

/// Runs the named peers, and the named cases, or all. Writes the document if all are run.
pub fn run(names: &[String], cases: &[String], environment: &Environment) -> Result<()> {
    let peers: Vec<_> = peers::ALL.into_iter().filter(|peer| is_named(peer.name, names)).collect();
    ensure!(
        !peers.is_empty(),
        "no such peer; there are {}",
        peers::ALL.iter().map(|peer| peer.name).join(", ")
    );
    packages::ensure(&[packages::PLUGIN, packages::INTEROP].concat(), environment)?;
    install(&peers, environment)?;
    let qt_source = &qt_source::find(environment)?;
    build::plugins(qt_source)?;
    build::some_programs(qt_source, &["dtls_endpoint"])?;
    let cells = cells(&peers, &endpoints()?, |case| is_named(case.name, cases))?;
    println!("{}", report::sum(&cells)?);
    if names.is_empty() && cases.is_empty() {
        let python = python::run(&qt_source::version(qt_source)?)?;
        let examples = examples::run(qt_source)?;
        println!("Python: {python}\nQt's examples: {examples}");
        report::write(&cells, &python, &examples)?;
    }
    none_worse(&cells)
}

/// A few peers and cases, for `cargo xtask test`, which has built the rest. Returns how many are right on ours.
pub fn check(environment: &Environment) -> Result<u32> {
    install(&peers::QUICK, environment)?;
    check_on(&peers::QUICK, &endpoints()?)
}

/// The same cases with OpenSSL as peer, on an endpoint of ours that was built otherwise and finds its plugin itself.
pub fn check_endpoint(ours: PathBuf, environment: &Environment) -> Result<u32> {
    let peers = [peers::QUICK[0]];
    install(&peers, environment)?;
    check_on(&peers, &Endpoints { ours, ..endpoints()? })
}

fn check_on(peers: &[&'static Peer], endpoints: &Endpoints) -> Result<u32> {
    let cells = cells(peers, endpoints, |case| cases::QUICK.contains(&case.name))?;
    none_worse(&cells)?;
    Ok(cells.iter().filter(|cell| cell.ours.is_right()).count() as u32)
}

/// The programs on both plugins.
fn endpoints() -> Result<Endpoints> {
    let place = |flavour| QtProgram::new("dtls_endpoint", flavour).place_alone();
    Ok(Endpoints { ours: place(Flavour::OURS)?, stock: place(Flavour::STOCK)? })
}

/// By the beginning of the name, whatever the case; all if there are no names.
fn is_named(name: &str, names: &[String]) -> bool {
    let name = name.to_lowercase();
    names.is_empty() || names.iter().any(|beginning| name.starts_with(&beginning.to_lowercase()))
}

/// What [`check`] needs.
pub fn packages_of_check() -> Vec<&'static str> {
    packages_of(&peers::QUICK)
}

fn packages_of(peers: &[&Peer]) -> Vec<&'static str> {
    peers.iter().flat_map(|peer| peer.packages).copied().collect()
}

fn install(peers: &[&Peer], environment: &Environment) -> Result<()> {
    packages::ensure(&packages_of(peers), environment)?;
    certificates::make()?;
    peers.iter().try_for_each(|peer| (peer.build)())
}

fn cells(
    peers: &[&'static Peer],
    endpoints: &Endpoints,
    is_wanted: impl Fn(&Case) -> bool,
) -> Result<Vec<Cell>> {
    workspace::fresh(&workspace::target("interop/run"))?;
    let roles = iproduct!(peers.iter().copied(), [Role::Client, Role::Server]);
    let cells = roles.flat_map(|(peer, role)| {
        cases::all(role, peer.lossy)
            .into_iter()
            .chain(peer.more(role))
            .filter(|case| is_wanted(case))
            .map(move |case| (peer, role, case))
            .collect::<Vec<_>>()
    });
    runner::run(cells.collect(), endpoints)
}

fn none_worse(cells: &[Cell]) -> Result<()> {
    let worse = cells.iter().filter(|cell| cell.is_worse());
    let list = worse.map(|cell| format!("{}: {}; stock: {}", cell.name(), cell.ours, cell.stock)).join("\n");
    ensure!(list.is_empty(), "worse on ours than on stock:\n{list}");
    Ok(())
}
