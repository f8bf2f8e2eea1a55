// SPDX-License-Identifier: MIT OR Apache-2.0
//! docs/interop.md.

use crate::interop::runner::{Cell, Outcome};
use crate::system::{Run, cmd, packages, shell, template, workspace};
use anyhow::Result;
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use itertools::Itertools;
use minijinja::context;
use std::fs;

const DOCUMENT: &str = "docs/interop.md";

pub fn write(cells: &[Cell], python: &str, examples: &str) -> Result<()> {
    let document = template::render(
        include_str!("../../templates/interop.md"),
        context! {
            date => cmd!(shell(), "date --utc +%Y-%m-%d").capture()?,
            commit => cmd!(shell(), "git describe --always --dirty --abbrev=12").capture()?,
            debian => workspace::read("/etc/debian_version")?.trim(),
            qt => packages::field("qt6-base-dev", "Version")?,
            openssl => packages::field("libssl-dev", "Version")?,
            worse => cells.iter().filter(|cell| cell.is_worse()).map(Cell::name).join("; "),
            sum => sum(cells)?.to_string(),
            python => python,
            examples => examples,
            rows => rows(cells)?.to_string(),
        },
    )?;
    fs::write(workspace::root().join(DOCUMENT), document)?;
    eprintln!("wrote {DOCUMENT}");
    Ok(())
}

/// How many cases of each peer are right on which plugin.
pub fn sum(cells: &[Cell]) -> Result<Table> {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "peer",
        "version",
        "right on both",
        "only ours",
        "only stock",
        "neither",
        "the peer lacks it",
    ]);
    for (name, cells) in &cells.iter().chunk_by(|cell| cell.peer.name) {
        let cells: Vec<_> = cells.collect();
        let version = (cells.first().map_or(Ok(String::new()), |cell| (cell.peer.version)()))?;
        let count = |ours: bool, stock: bool| {
            let is_it = |cell: &&&Cell| {
                !cell.is_lack() && (cell.ours.is_right(), cell.stock.is_right()) == (ours, stock)
            };
            cells.iter().filter(is_it).count()
        };
        let lacking = cells.iter().filter(|cell| cell.is_lack()).count();
        let counts =
            [count(true, true), count(true, false), count(false, true), count(false, false), lacking];
        table.add_row([name.to_owned(), version].into_iter().chain(counts.map(|count| count.to_string())));
    }
    Ok(table)
}

fn rows(cells: &[Cell]) -> Result<Table> {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(["peer", "ours as", "case", "ours", "stock", "note"]);
    for cell in cells {
        let name = format!("{} {}", cell.peer.name, (cell.peer.version)()?);
        let outcomes = [&cell.ours, &cell.stock].map(|outcome| in_a_cell(&outcome.to_string()));
        let [ours, stock] = outcomes;
        table.add_row([name, cell.role.to_string(), cell.case.name.into(), ours, stock, cell.note().into()]);
    }
    Ok(table)
}

/// Error texts may have what ends a cell.
fn in_a_cell(text: &str) -> String {
    text.replace('|', "/").replace('\n', " ")
}

impl Outcome {
    pub fn is_right(&self) -> bool {
        matches!(self, Self::Right(_))
    }
}

impl Cell {
    pub fn name(&self) -> String {
        format!("{}, ours as {}: {}", self.peer.name, self.role, self.case.name)
    }

    pub fn is_lack(&self) -> bool {
        matches!(self.ours, Outcome::Lack(_)) || (self.is_neither() && self.limit().is_some())
    }

    fn is_neither(&self) -> bool {
        !self.ours.is_right() && !self.stock.is_right()
    }

    fn limit(&self) -> Option<&'static str> {
        self.peer.limit(&self.case, self.role)
    }

    fn note(&self) -> &'static str {
        match &self.ours {
            Outcome::Lack(why) => why,
            _ if self.is_neither() => self.limit().unwrap_or_default(),
            _ => "",
        }
    }
}
