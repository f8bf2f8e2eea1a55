// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bench`: stock, ours and the OpenSSL under both, measured in turns on one machine.

mod chart;
mod counts;
mod measure;
mod report;
mod samples;

use crate::build;
use crate::system::{Environment, workspace};
use anyhow::Result;
use measure::Effort;
use samples::Samples;
use std::fs;

const DOCUMENT: &str = "docs/performance.md";
const SAMPLES: &str = "docs/performance/samples.tsv";

pub fn run(environment: &Environment, quick: bool) -> Result<()> {
    build::for_tests(environment)?;
    let effort = if quick { Effort::QUICK } else { Effort::USUAL };
    let samples = measure::measure(&effort)?;
    let counts = counts::operations()?;
    if quick {
        println!("{}", report::quick(&samples, &counts)?);
        return Ok(());
    }
    let document = report::full(effort.rounds, &samples, &counts, &counts::handshake()?)?;
    fs::create_dir_all(workspace::root().join("docs/performance"))?;
    fs::write(workspace::root().join(SAMPLES), samples.table())?;
    fs::write(workspace::root().join(DOCUMENT), document)?;
    eprintln!("{DOCUMENT} is up to date");
    write_charts(&samples)
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
