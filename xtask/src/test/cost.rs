// SPDX-License-Identifier: MIT OR Apache-2.0
//! What operations cost on our plugin and on stock, in instructions as callgrind counts them: the same number each time,
//! whatever else the machine is doing. The kernel's work is not counted.

use crate::build::plugin::Flavour;
use crate::system::workspace;
use crate::test::callgrind::{self, Profile, Split};
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};

/// An operation of `dtls_cost`, how often it runs, and what it may cost.
pub struct Operation {
    pub name: &'static str,
    pub count: u64,
    /// All instructions, in hundredths of stock's.
    total: u64,
    /// Instructions outside OpenSSL and what it calls.
    outside: Limit,
}

/// How many instructions.
#[derive(Clone, Copy)]
enum Limit {
    AtMost(u64),
    /// In hundredths of stock's.
    OfStock(u64),
}

const fn hello(name: &'static str) -> Operation {
    Operation { name, count: 200, total: 25, outside: Limit::AtMost(6000) }
}

/// With AES-GCM OpenSSL's part grows with the size of the message, ours does not.
const fn message(name: &'static str, total: u64, outside: u64) -> Operation {
    Operation { name, count: 200, total, outside: Limit::OfStock(outside) }
}

/// S32: a flood is refused for less than stock takes, junk for much less. S27: connections share a context.
pub const OPERATIONS: [Operation; 11] = [
    Operation { name: "junk", count: 200, total: 25, outside: Limit::OfStock(99) },
    hello("hello-without-cookie"),
    hello("hello-with-wrong-cookie"),
    hello("hello-with-right-cookie"),
    message("write-64", 115, 140),
    message("write-1024", 110, 140),
    message("write-8192", 105, 140),
    message("read-64", 115, 170),
    message("read-1024", 110, 150),
    message("read-8192", 105, 110),
    Operation { name: "handshake", count: 5, total: 85, outside: Limit::OfStock(100) },
];

/// Counts on both plugins and compares; returns how many operations there were.
pub fn check() -> Result<u32> {
    println!("    instructions in all, and those outside OpenSSL");
    for operation in &OPERATIONS {
        let (ours, stock) = (operation.cost_on(Flavour::Rust)?, operation.cost_on(Flavour::Stock)?);
        let Operation { name, total, outside, .. } = *operation;
        let [ours_all, stock_all] = [ours, stock].map(|split| split.total());
        let [ours_outside, stock_outside] = [ours, stock].map(|split| split.outside_openssl());
        println!(
            "    {name:24} ours: {ours_all}, {ours_outside}; stock: {stock_all}, {stock_outside}; {} % of stock",
            ours_all * 100 / stock_all
        );
        ensure!(ours_all * 100 <= stock_all * total, "{name} costs more than {total} % of stock");
        let limit = match outside {
            Limit::AtMost(limit) => limit,
            Limit::OfStock(percent) => stock_outside * percent / 100,
        };
        ensure!(ours_outside <= limit, "{name} takes more than {limit} instructions outside OpenSSL");
    }
    Ok(OPERATIONS.len() as u32)
}

impl Operation {
    /// What one such operation costs.
    fn cost_on(&self, flavour: Flavour) -> Result<Split> {
        Ok(self.profile_on(flavour)?.split(flavour).each(self.count))
    }

    /// What [`Operation::count`] such operations cost.
    pub fn profile_on(&self, flavour: Flavour) -> Result<Profile> {
        let report = workspace::target(&format!("qt-tests/cost-{}-{}", flavour.name(), self.name));
        let arguments = [self.name, &self.count.to_string()];
        QtProgram::new("dtls_cost", flavour).run_under(&callgrind::wrapper(&report), &arguments)?;
        Profile::read(&workspace::read(report)?)
    }
}
