// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bench`: stock, ours and the OpenSSL under both, measured in turns on one machine.

mod chart;
pub mod counts;
mod endpoint;
mod holders;
pub mod measure;
mod report;
pub mod samples;
mod start;
mod turns;

use crate::build;
use crate::check::size;
use crate::system::{Environment, workspace};
use anyhow::Result;
use measure::Effort;
use report::Profiles;
use samples::{Samples, Subject};
use std::fs;
use strum::VariantArray;

const DOCUMENT: &str = "docs/performance.md";
const SAMPLES: &str = "docs/performance/samples.tsv";
const START_SAMPLES: &str = "docs/performance/start.tsv";
const ENDPOINT_SAMPLES: &str = "docs/performance/endpoint.tsv";

pub fn run(environment: &Environment, quick: bool) -> Result<()> {
    build::for_tests(environment)?;
    let effort = effort(quick);
    let samples = measure::measure(&effort)?;
    let counts = counts::operations()?;
    if quick {
        println!("{}", report::quick(&samples, &counts)?);
        run_start(environment, quick)?;
        return run_endpoint(environment, quick);
    }
    let handshake = counts::handshake("ecdsa", Subject::VARIANTS)?;
    let resumed = counts::handshake("resumed", &[Subject::Ours, Subject::Raw])?;
    let profiles =
        Profiles { handshake, resumed, server: counts::server()?, holders: holders::of_connection()? };
    let document = report::full(&effort, &samples, &counts, &profiles)?;
    fs::create_dir_all(workspace::root().join("docs/performance"))?;
    fs::write(workspace::root().join(SAMPLES), samples.table())?;
    fs::write(workspace::root().join(DOCUMENT), document)?;
    eprintln!("{DOCUMENT} is up to date");
    write_charts(&samples)?;
    run_start(environment, quick)?;
    run_endpoint(environment, quick)
}

/// Measures start-up and size alone, and writes their part of the document.
pub fn run_start(environment: &Environment, quick: bool) -> Result<()> {
    let qt_source = build::plugins_for(environment)?;
    build::some_programs(&qt_source, &["dtls_bench"])?;
    let rounds = effort(quick).rounds_of_start;
    let (samples, counts) = (start::measure(rounds)?, start::counts()?);
    let part = start::part(rounds, &samples, &counts, size::rows()?)?;
    if quick {
        println!("{part}");
        return Ok(());
    }
    fs::write(workspace::root().join(START_SAMPLES), samples.table())?;
    fs::write(workspace::root().join(DOCUMENT), start::put_into(&workspace::read(DOCUMENT)?, &part))?;
    eprintln!("the part on start-up and size of {DOCUMENT} is up to date");
    Ok(())
}

/// Measures the endpoint alone, and writes its part of the document.
pub fn run_endpoint(environment: &Environment, quick: bool) -> Result<()> {
    let rounds = effort(quick).rounds_of_endpoint;
    let samples = endpoint::measure(rounds, environment)?;
    let part = endpoint::part(rounds, &samples)?;
    if quick {
        println!("{part}");
        return Ok(());
    }
    let document = endpoint::put_into(&workspace::read(DOCUMENT)?, &part)?;
    fs::write(workspace::root().join(ENDPOINT_SAMPLES), samples.table())?;
    fs::write(workspace::root().join(DOCUMENT), document)?;
    eprintln!("the part on the endpoint of {DOCUMENT} is up to date");
    Ok(())
}

fn effort(quick: bool) -> Effort {
    if quick { Effort::QUICK } else { Effort::USUAL }
}

/// Draws the charts of the committed samples.
pub fn redraw() -> Result<()> {
    write_charts(&Samples::read(&workspace::read(SAMPLES)?)?)
}

fn write_charts(samples: &Samples) -> Result<()> {
    for (name, chart) in report::charts(samples)? {
        fs::write(workspace::root().join(format!("docs/performance/{name}.svg")), chart)?;
    }
    Ok(())
}
