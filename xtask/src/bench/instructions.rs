// SPDX-License-Identifier: MIT OR Apache-2.0
//! Instructions of the paths that a server walks for each datagram and each hello.

use super::markdown::table;
use super::profile::ranking;
use crate::build::plugin::Flavour;
use crate::test::callgrind::Split;
use crate::test::cost::{OPERATIONS, Operation};
use anyhow::{Context, Result};

/// Each operation on stock and on ours.
pub struct Counts(Vec<Count>);

struct Count {
    operation: &'static str,
    stock: Split,
    ours: Split,
    /// Functions of ours, Qt's and of libc for both, a table.
    dearest: String,
}

pub fn count() -> Result<Counts> {
    let count = |operation: &Operation| {
        let Operation { name, count, .. } = *operation;
        eprintln!("counting instructions: {name}");
        let profiles = (operation.profile_on(Flavour::Stock)?, operation.profile_on(Flavour::Rust)?);
        let functions = profiles.1.dearest_outside_openssl(Flavour::Rust, DEAREST);
        Ok(Count {
            operation: name,
            stock: profiles.0.split(Flavour::Stock).each(count),
            ours: profiles.1.split(Flavour::Rust).each(count),
            dearest: ranking(&format!("{name}, ours"), &functions, count),
        })
    };
    OPERATIONS.iter().map(count).collect::<Result<_>>().map(Counts)
}

const DEAREST: usize = 12;

/// The beginnings of the names of operations that must not take more than on stock.
const NOT_ABOVE_STOCK: [&str; 3] = ["junk", "write", "read"];

/// What verifyClient may spend outside OpenSSL and the kernel.
const MOST_OUTSIDE_OPENSSL: f64 = 6000.0;

impl Counts {
    /// What is counted, its limit, and what was found.
    pub fn targets(&self) -> Result<Vec<(String, f64, f64)>> {
        let mut targets = Vec::new();
        for name in ["hello-without-cookie", "hello-with-wrong-cookie"] {
            let (_, ours) = self.of(name)?;
            let what = format!("{name}: instructions outside OpenSSL");
            targets.push((what, MOST_OUTSIDE_OPENSSL, ours.outside_openssl() as f64));
        }
        for name in ["hello-without-cookie", "hello-with-wrong-cookie", "hello-with-right-cookie"] {
            let (stock, ours) = self.of(name)?;
            let ratio = ours.total() as f64 / stock.total() as f64;
            targets.push((format!("{name}: all instructions, ours / stock"), 0.5, ratio));
        }
        for Count { operation, stock, ours, .. } in &self.0 {
            if NOT_ABOVE_STOCK.iter().any(|kind| operation.starts_with(kind)) {
                let ratio = ours.outside_openssl() as f64 / stock.outside_openssl() as f64;
                targets.push((
                    format!("{operation}: instructions outside OpenSSL, ours / stock"),
                    1.0,
                    ratio,
                ));
            }
        }
        Ok(targets)
    }

    /// Where the instructions outside OpenSSL go, of what takes more of them than stock does.
    pub fn show_above_stock(&self) -> String {
        let above = |count: &&Count| count.ours.outside_openssl() > count.stock.outside_openssl();
        self.0.iter().filter(above).map(|count| format!("{}\n", count.dearest)).collect()
    }

    fn of(&self, name: &str) -> Result<(Split, Split)> {
        let found = self.0.iter().find(|count| count.operation == name);
        found.map(|count| (count.stock, count.ours)).with_context(|| format!("{name} was not counted"))
    }

    pub fn show(&self) -> String {
        let mut rows = Vec::new();
        for Count { operation, stock, ours, .. } in &self.0 {
            for (whose, split) in [("stock", stock), ("ours", ours)] {
                let mut row = vec![(*operation).to_owned(), whose.to_owned()];
                let parts = [split.ours, split.qt, split.libc_for_others, split.outside_openssl()];
                row.extend(parts.map(|part| part.to_string()));
                let openssl = [split.openssl, split.libc_for_openssl, split.total()];
                row.extend(openssl.map(|part| part.to_string()));
                rows.push(row);
            }
        }
        let header = [
            "",
            "plugin",
            "this library",
            "Qt",
            "their libc",
            "**outside OpenSSL**",
            "OpenSSL",
            "its libc",
            "**all**",
        ];
        format!("{INSTRUCTIONS}\n{}\n", table(&header, &rows))
    }
}

const INSTRUCTIONS: &str = "\
## Instructions

As callgrind counts them, of one operation on loopback sockets; the kernel's are not counted. libc and the C++ library
work for whoever calls them. Hellos and junk are `verifyClient`'s, \"handshake\" is client and server together (ECDSA
P-256) with the work of receiving their datagrams, \"write\" and \"read\" are `writeDatagramEncrypted` and
`decryptDatagram`.
";
