// SPDX-License-Identifier: MIT OR Apache-2.0
//! Instructions of single operations, and of a handshake in memory.

use super::samples::Subject;
use crate::build::Flavour;
use crate::system::workspace;
use crate::test::callgrind::{self, Profile, Split};
use crate::test::cost::{OPERATIONS, Operation};
use anyhow::Result;
use minijinja::{Value, context};
use serde::Serialize;
use strum::VariantArray;

/// How many handshakes are profiled.
const HANDSHAKES: u64 = 5;

/// An operation on stock and on ours.
#[derive(Serialize)]
pub struct Count {
    pub operation: &'static str,
    pub stock: Split,
    pub ours: Split,
    /// ours takes more instructions outside OpenSSL.
    pub is_above_stock: bool,
    /// The functions outside OpenSSL that cost most on ours.
    pub dearest: Vec<(String, u64)>,
}

pub fn operations() -> Result<Vec<Count>> {
    let count = |operation: &Operation| {
        eprintln!("counting instructions: {}", operation.name);
        let (ours, stock) = (operation.profile_on(Flavour::OURS)?, operation.profile_on(Flavour::STOCK)?);
        let (dearest, ours, stock) = (ours.dearest_outside_openssl(), ours.split(), stock.split());
        let is_above_stock = ours.outside_openssl() > stock.outside_openssl();
        Ok(Count { operation: operation.name, stock, ours, is_above_stock, dearest })
    };
    OPERATIONS.iter().map(count).collect()
}

/// A handshake as callgrind counts it, of a scenario that `dtls_bench` and `raw_bench` know.
pub fn profile_of(subject: Subject, scenario: &str) -> Result<Profile> {
    eprintln!("profiling a handshake: {scenario}, {subject}");
    let report = workspace::target(&format!("bench/profile-{scenario}-{subject}"));
    subject.run(&callgrind::wrapper(&report), &format!("profile-{scenario}"), HANDSHAKES)?;
    // Raw has no plugin.
    let flavour = Flavour::of(subject == Subject::Stock);
    Profile::read(&workspace::read(report)?, flavour, HANDSHAKES)
}

/// The server's part of a handshake of each subject, with the making and destruction of its connection.
pub fn server() -> Result<Vec<(Subject, Split)>> {
    let split = |&subject: &Subject| Ok((subject, profile_of(subject, "server")?.split()));
    Subject::VARIANTS.iter().map(split).collect()
}

/// A handshake of each of these, and the functions of OpenSSL that cost most in it.
pub fn handshake(scenario: &str, subjects: &[Subject]) -> Result<Vec<Value>> {
    let describe = |subject: &Subject| {
        let profile = profile_of(*subject, scenario)?;
        Ok(context! { subject, split => profile.split(), dearest => profile.dearest_of_openssl() })
    };
    subjects.iter().map(describe).collect()
}
