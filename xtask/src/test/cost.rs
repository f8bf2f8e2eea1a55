// SPDX-License-Identifier: MIT OR Apache-2.0
//! What operations cost on our plugin and on stock, in instructions as callgrind counts them: the same number each time,
//! whatever else the machine is doing. The kernel's work is not counted.

use crate::build::Flavour;
use crate::system::workspace;
use crate::test::callgrind::{self, Profile, Split};
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};

/// An operation of `dtls_cost`, how often it runs, and what it may cost.
pub struct Operation {
    pub name: &'static str,
    pub count: u64,
    /// All instructions, and those outside OpenSSL and what it calls, in hundredths of stock's.
    percent_of_stock: (u64, u64),
}

const fn operation(name: &'static str, count: u64, all: u64, outside: u64) -> Operation {
    Operation { name, count, percent_of_stock: (all, outside) }
}

/// What the listener may spend on a hello outside OpenSSL and the kernel.
pub const MOST_FOR_A_HELLO: u64 = 6000;

/// S32: a flood is refused for less than stock takes, junk for much less. S27: connections share a context.
/// With AES-GCM OpenSSL's part grows with the size of the message, ours does not.
pub const OPERATIONS: [Operation; 11] = [
    operation("junk", 200, 25, 99),
    operation("hello-without-cookie", 200, 25, 100),
    operation("hello-with-wrong-cookie", 200, 25, 100),
    operation("hello-with-right-cookie", 200, 25, 100),
    operation("write-64", 200, 103, 120),
    operation("write-1024", 200, 102, 120),
    operation("write-8192", 200, 101, 120),
    operation("read-64", 200, 101, 118),
    operation("read-1024", 200, 101, 113),
    operation("read-8192", 200, 101, 102),
    operation("handshake", 5, 85, 100),
];

/// Counts on both plugins and compares; returns how many operations there were.
pub fn check() -> Result<u32> {
    println!("    instructions in all, and those outside OpenSSL");
    for operation in &OPERATIONS {
        let (ours, stock) = (operation.cost_on(Flavour::OURS)?, operation.cost_on(Flavour::STOCK)?);
        let Operation { name, percent_of_stock: (percent, outside_percent), .. } = *operation;
        let [all, all_stock] = [ours, stock].map(|split| split.total());
        let [outside, outside_stock] = [ours, stock].map(|split| split.outside_openssl());
        let percent_found = all * 100 / all_stock;
        println!(
            "    {name:24} ours: {all}, {outside}; stock: {all_stock}, {outside_stock}; {percent_found} % of stock"
        );
        ensure!(all * 100 <= all_stock * percent, "{name} costs more than {percent} % of stock");
        let of_stock = outside_stock * outside_percent / 100;
        let limit = if name.starts_with("hello") { MOST_FOR_A_HELLO } else { of_stock };
        ensure!(outside <= limit, "{name} takes more than {limit} instructions outside OpenSSL");
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
