// SPDX-License-Identifier: MIT OR Apache-2.0
//! What operations cost on our plugin and on stock, in instructions as callgrind counts them: the same number each time,
//! whatever else the machine is doing. The kernel's work is not counted.

use crate::bench::samples::Subject;
use crate::bench::{counts, measure};
use crate::build::Flavour;
use crate::system::{both, workspace};
use crate::test::callgrind::{self, Profile};
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};

/// An operation of `dtls_cost`, how often it runs, and what it may cost.
pub struct Operation {
    pub name: &'static str,
    pub count: u64,
    /// All instructions, and those outside OpenSSL and what it calls, in hundredths of stock's.
    percent_of_stock: (u64, u64),
}

/// What the listener may spend on a hello outside OpenSSL and the kernel.
pub const MOST_FOR_A_HELLO: u64 = 6000;

/// S32: a flood is refused for less than stock takes, junk for much less. S27, F12: connections share a context, also
/// one after another. With AES-GCM OpenSSL's part grows with the size of the message, ours does not.
pub const OPERATIONS: [Operation; 12] = [
    Operation { name: "junk", count: 200, percent_of_stock: (25, 99) },
    Operation { name: "hello-without-cookie", count: 200, percent_of_stock: (25, 100) },
    Operation { name: "hello-with-wrong-cookie", count: 200, percent_of_stock: (25, 100) },
    Operation { name: "hello-with-right-cookie", count: 200, percent_of_stock: (25, 100) },
    Operation { name: "write-64", count: 200, percent_of_stock: (103, 120) },
    Operation { name: "write-1024", count: 200, percent_of_stock: (102, 120) },
    Operation { name: "write-8192", count: 200, percent_of_stock: (101, 120) },
    Operation { name: "read-64", count: 200, percent_of_stock: (101, 120) },
    Operation { name: "read-1024", count: 200, percent_of_stock: (101, 114) },
    Operation { name: "read-8192", count: 200, percent_of_stock: (101, 102) },
    Operation { name: "handshake", count: 5, percent_of_stock: (85, 100) },
    Operation { name: "handshake-alone", count: 5, percent_of_stock: (60, 100) },
];

/// Handshakes in memory, and what ours may cost, both sides together, in hundredths of OpenSSL's alone. S20: a session is decoded
/// once, and encoded when it is read. F12: equal configurations are found again also when their files were loaded again.
/// "server" is the server's side alone, which looks for its certificate's issuers once.
const BESIDE_OPENSSL: [(&str, u64); 5] =
    [("ecdsa", 103), ("ecdsa-cas-alone", 104), ("psk", 106), ("resumed", 105), ("server", 101)];

/// Counts and compares; returns how many operations there were.
pub fn check() -> Result<u32> {
    Ok(check_beside_stock()? + check_beside_openssl()?)
}

fn check_beside_openssl() -> Result<u32> {
    measure::make_credentials()?;
    for (scenario, percent) in BESIDE_OPENSSL {
        let [ours, raw] =
            both([Subject::Ours, Subject::Raw], |subject| counts::profile_of(subject, scenario))?;
        let (ours, raw) = (ours.split().total(), raw.split().total());
        let found = ours * 100 / raw;
        println!("    {scenario:24} ours: {ours}; OpenSSL alone: {raw}; {found} %");
        ensure!(ours * 100 <= raw * percent, "{scenario} costs more than {percent} % of OpenSSL alone");
    }
    Ok(BESIDE_OPENSSL.len() as u32)
}

fn check_beside_stock() -> Result<u32> {
    println!("    instructions in all, and those outside OpenSSL");
    for operation in &OPERATIONS {
        let [ours, stock] = both(Flavour::USUAL, |flavour| operation.profile_on(flavour))?;
        let (ours, stock) = (ours.split(), stock.split());
        let Operation { name, percent_of_stock: (percent, outside_percent), .. } = *operation;
        let [all, all_stock] = [ours, stock].map(|split| split.total());
        let [outside, outside_stock] = [ours, stock].map(|split| split.outside_openssl());
        let found = all * 100 / all_stock;
        println!(
            "    {name:24} ours: {all}, {outside}; stock: {all_stock}, {outside_stock}; {found} % of stock"
        );
        ensure!(all * 100 <= all_stock * percent, "{name} costs more than {percent} % of stock");
        let of_stock = outside_stock * outside_percent / 100;
        let limit = if name.starts_with("hello") { MOST_FOR_A_HELLO } else { of_stock };
        ensure!(outside <= limit, "{name} takes more than {limit} instructions outside OpenSSL");
    }
    Ok(OPERATIONS.len() as u32)
}

impl Operation {
    pub fn profile_on(&self, flavour: Flavour) -> Result<Profile> {
        let report = workspace::target(&format!("qt-tests/cost-{}-{}", flavour.name(), self.name));
        let arguments = [self.name, &self.count.to_string()];
        QtProgram::new("dtls_cost", flavour).run_under(&callgrind::wrapper(&report), &arguments)?;
        Profile::read(&workspace::read(report)?, flavour, self.count)
    }
}
