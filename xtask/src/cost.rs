// SPDX-License-Identifier: MIT OR Apache-2.0
//! What operations cost on our plugin and on stock, in instructions as callgrind counts them: the same number each time,
//! whatever else the machine is doing. The kernel's work is not counted.

use crate::plugin::Flavour;
use crate::qt_program::QtProgram;
use crate::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;

/// An operation of `dtls_cost`, how often it runs, and what it may cost in hundredths of stock's cost.
struct Operation {
    name: &'static str,
    count: u64,
    limit: u64,
}

/// S32: a flood is refused for less than stock takes, junk for much less. S27: connections share a context.
const OPERATIONS: [Operation; 4] = [
    Operation { name: "junk", count: 200, limit: 50 },
    Operation { name: "hello-without-cookie", count: 200, limit: 95 },
    Operation { name: "hello-with-wrong-cookie", count: 200, limit: 60 },
    Operation { name: "handshake", count: 5, limit: 85 },
];

/// Counts on both plugins and compares; returns how many operations there were.
pub fn check() -> Result<u32> {
    for operation in &OPERATIONS {
        let (ours, stock) = (operation.cost_on(Flavour::Rust)?, operation.cost_on(Flavour::Stock)?);
        let Operation { name, limit, .. } = operation;
        println!(
            "    {name:24} ours: {ours}; stock: {stock} instructions; {} % of stock",
            ours * 100 / stock
        );
        ensure!(
            ours * 100 <= stock * limit,
            "{name} may cost {limit} % of what it costs on stock, but costs more"
        );
    }
    Ok(OPERATIONS.len() as u32)
}

impl Operation {
    fn cost_on(&self, flavour: Flavour) -> Result<u64> {
        let report = workspace::target("qt-tests").join(format!("cost-{}-{}", flavour.name(), self.name));
        let program = QtProgram { name: "dtls_cost", folder: workspace::root(), flavour };
        let out_file = format!("--callgrind-out-file={}", report.display());
        let valgrind = ["valgrind", "--quiet", "--tool=callgrind", "--collect-atstart=no", &out_file];
        program.run_with(&valgrind, &[self.name, &self.count.to_string()])?;
        let total = total(&fs::read_to_string(report)?).context("callgrind's report has no total")?;
        ensure!(total > 0, "callgrind collected nothing");
        Ok(total / self.count)
    }
}

fn total(report: &str) -> Option<u64> {
    report.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn totals_are_read() {
        assert_eq!(super::total("events: Ir\ntotals: 1234\n"), Some(1234));
        assert_eq!(super::total("events: Ir\n"), None);
    }
}
