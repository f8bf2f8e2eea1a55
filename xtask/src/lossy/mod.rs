// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask lossy`: handshakes of stock and of ours on bad networks, by way of a relay, in turns.

mod certificates;
mod conditions;
mod relay;
mod report;
mod results;
mod rows;

use crate::build::{self, Flavour, qt_source};
use crate::system::{Environment, packages, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result};
use relay::Relay;
use results::Results;
use rows::Row;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = "docs/loss.md";
const PROGRAM: &str = "dtls_lossy";

/// Handshakes of a row, and milliseconds between the starts of two.
const HANDSHAKES: u64 = 200;
const FEW_HANDSHAKES: u64 = 20;
const SPACING_MS: u32 = 20;

/// A row, measured on both.
pub struct Measured {
    pub row: Row,
    pub stock: Results,
    pub ours: Results,
}

pub fn run(environment: &Environment, quick: bool) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO].concat(), environment)?;
    let qt_source = qt_source::find(environment)?;
    build::plugins(&qt_source)?;
    build::some_programs(&qt_source, &[PROGRAM])?;
    let folder = certificates::make()?;
    let (rows, handshakes) = if quick { (rows::quick(), FEW_HANDSHAKES) } else { (rows::all(), HANDSHAKES) };
    let measured = rows.into_iter().enumerate().map(|(number, row)| {
        let seeds: Vec<_> = (0..handshakes).map(|index| number as u64 * HANDSHAKES + index).collect();
        let on = |flavour| measure(row, flavour, &folder, &seeds).with_context(|| row.to_string());
        let (stock, ours) = (on(Flavour::STOCK)?, on(Flavour::OURS)?);
        Ok(Measured { row, stock, ours })
    });
    let measured = measured.collect::<Result<Vec<_>>>()?;
    if quick {
        println!("{}", report::quick(&measured)?);
    } else {
        fs::write(workspace::root().join(DOCUMENT), report::full(&measured)?)?;
        eprintln!("{DOCUMENT} is up to date");
    }
    Ok(())
}

/// A handshake for each seed, on a link of that seed.
fn measure(row: Row, flavour: Flavour, folder: &Path, seeds: &[u64]) -> Result<Results> {
    let relay = Relay::start(row.conditions(), seeds)?;
    let numbers = [row.mtu_hint().into(), row.limit().as_millis(), SPACING_MS.into(), relay.control.into()];
    let mut arguments = vec![folder.display().to_string(), row.certificate.name().to_owned()];
    arguments.extend(numbers.map(|number| number.to_string()));
    arguments.extend(relay.ports.iter().map(|(front, back)| format!("{front}:{back}")));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let output = QtProgram::new(PROGRAM, flavour).run(&arguments);
    let traffic = relay.stop()?;
    let results = Results::new(&output?, &traffic)?;
    eprintln!("{row}, {}: {}", flavour.name(), report::summary(&results));
    Ok(results)
}
