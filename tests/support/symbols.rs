// SPDX-License-Identifier: MIT OR Apache-2.0
//! The symbols of a static library.

use crate::process::run;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The names of all global symbols that the archive defines, weak ones included.
pub fn global_symbols(archive: &Path) -> BTreeSet<String> {
    let output = run(Command::new("nm").args(["-P", "-g", "--defined-only"]).arg(archive));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let symbols = text.lines().filter(|line| !line.ends_with("]:"));
    symbols.filter_map(|line| line.split(' ').next()).map(String::from).collect()
}
