// SPDX-License-Identifier: MIT OR Apache-2.0
//! Instructions of single operations, and of a handshake in memory.

use super::samples::Subject;
use crate::build::{self, Flavour};
use crate::system::{Run, shell, workspace};
use crate::test::callgrind::{self, Profile, Split};
use crate::test::cost::{OPERATIONS, Operation};
use crate::test::qt_program::QtProgram;
use anyhow::Result;
use minijinja::{Value, context};
use serde::Serialize;

/// How many functions a ranking has.
const DEAREST: usize = 12;

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
        let Operation { name, count, .. } = *operation;
        eprintln!("counting instructions: {name}");
        let ours_profile = operation.profile_on(Flavour::OURS)?;
        let stock = operation.profile_on(Flavour::STOCK)?.split(Flavour::STOCK).each(count);
        let ours = ours_profile.split(Flavour::OURS).each(count);
        let is_above_stock = ours.outside_openssl() > stock.outside_openssl();
        let dearest = each(ours_profile.dearest_outside_openssl(Flavour::OURS, DEAREST), count);
        Ok(Count { operation: name, stock, ours, is_above_stock, dearest })
    };
    OPERATIONS.iter().map(count).collect()
}

/// A handshake of each subject, and the functions of OpenSSL that cost most in it.
pub fn handshake() -> Result<Vec<Value>> {
    let profile = |subject: Subject| {
        eprintln!("profiling a handshake: {}", subject.name());
        // Raw has no plugin.
        let flavour = Flavour::of(subject == Subject::Stock);
        let profile = profile_of(subject, flavour)?;
        let split = profile.split(flavour).each(HANDSHAKES);
        let dearest = each(profile.dearest_of_openssl(flavour, DEAREST), HANDSHAKES);
        Ok(context! { subject => subject.name(), split, dearest })
    };
    Subject::ALL.into_iter().map(profile).collect()
}

fn each(functions: Vec<(String, u64)>, count: u64) -> Vec<(String, u64)> {
    functions.into_iter().map(|(name, cost)| (name, cost / count)).collect()
}

fn profile_of(subject: Subject, flavour: Flavour) -> Result<Profile> {
    let report = workspace::target(&format!("bench/profile-{}", subject.name()));
    let wrapper = callgrind::wrapper(&report);
    let credentials = workspace::target("bench");
    let arguments = ["profile", &credentials.to_string_lossy(), &HANDSHAKES.to_string()];
    if subject == Subject::Raw {
        let [valgrind, options @ ..] = &wrapper;
        shell().cmd(valgrind).args(options).arg(build::program("raw_bench")).args(arguments).quietly()?;
    } else {
        QtProgram::new("dtls_bench", flavour).run_under(&wrapper, &arguments)?;
    }
    Profile::read(&workspace::read(report)?)
}
