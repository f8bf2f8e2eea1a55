// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask soak [MINUTES]`: a server on Qt with our plugin for thousands of peers that come and go, also badly; then
//! under a flood, and so for a minute on stock.

mod chart;
mod report;
mod trial;

use crate::build::{self, Flavour, qt_source};
use crate::system::{Environment, Run, cmd, packages, shell, workspace};
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;
use trial::{Plan, Trial};

const DOCUMENT: &str = "docs/reliability.md";
const MEMORY_CHART: &str = "docs/figures/soak.svg";
const FLOOD_CHART: &str = "docs/figures/soak-flood.svg";

const PEERS: u32 = 2000;
const FLOOD_PER_SECOND: u32 = 10_000;
const FLOOD_SECONDS: u32 = 60;
/// What memory may grow by from the first part of a run, after its warm-up, to the last.
const MOST_GROWTH: f64 = 0.03;
/// A run that is shorter writes no document.
const FULL_MINUTES: u32 = 20;

pub fn run(environment: &Environment, minutes: u32) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO].concat(), environment)?;
    let qt_source = qt_source::find(environment)?;
    build::plugins(&qt_source)?;
    build::some_programs(&qt_source, &trial::PROGRAMS)?;
    let folder = workspace::target("soak");
    workspace::fresh(&folder)?;
    make_certificate(&folder)?;

    let plan = |seconds| Plan {
        peers: PEERS,
        seconds,
        flood_per_second: FLOOD_PER_SECOND,
        flood_seconds: FLOOD_SECONDS,
    };
    let ours = trial::run(Flavour::OURS, &plan(minutes * 60), &folder)?;
    // Its clients that begin again on their port are not answered: it is here for the flood.
    let stock = trial::run(Flavour::STOCK, &plan(FLOOD_SECONDS), &folder)?;
    println!("{}", report::summary(&ours, &stock)?);
    if minutes >= FULL_MINUTES {
        let write = |path, text| fs::write(workspace::root().join(path), text);
        write(MEMORY_CHART, chart::memory(&ours)?)?;
        write(FLOOD_CHART, chart::processor(&ours, &stock)?)?;
        write(DOCUMENT, report::full(&ours, &stock, minutes)?)?;
        eprintln!("{DOCUMENT} is up to date");
    }
    check(&ours)
}

fn make_certificate(folder: &Path) -> Result<()> {
    let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=soak.example"];
    let request = cmd!(shell(), "openssl req -x509 -nodes -days 2 {kind...}");
    request.arg("-keyout").arg(key).arg("-out").arg(certificate).quietly()
}

fn check(ours: &Trial) -> Result<()> {
    let failed = ours.count("failed")?;
    ensure!(failed == 0, "{failed} honest handshakes failed");
    let [heap, resident] = ours.growth();
    ensure!(
        heap.max(resident) <= MOST_GROWTH,
        "memory grew: the heap by {:.1} %, resident memory by {:.1} %",
        100.0 * heap,
        100.0 * resident
    );
    Ok(())
}
