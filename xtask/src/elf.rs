// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the plugins consist of, and what they show to the dynamic linker.

use crate::plugin::{self, Flavour};
use crate::process::{capture, command};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::Path;

/// Fails unless our plugin has the Rust library in it and stock has not: else the two would not be worth comparing.
pub fn compare_contents() -> Result<()> {
    for (flavour, expected) in [(Flavour::Rust, true), (Flavour::Stock, false)] {
        let names = symbols_in(&flavour.plugin_file(), &[])?.into_iter();
        if names.map(|(name, _)| name).any(|name| name.starts_with("qdtls_")) != expected {
            let verb = if expected { "lacks" } else { "contains" };
            bail!("the {} plugin {verb} the functions of qdtls_rs.h", flavour.name());
        }
    }
    Ok(())
}

/// Fails unless both plugins need the same shared libraries. One more could be a second OpenSSL.
pub fn compare_needed() -> Result<()> {
    let (ours, stock) = (needed(&Flavour::Rust.plugin_file())?, needed(&Flavour::Stock.plugin_file())?);
    if ours != stock {
        bail!("our plugin needs {ours:?}, stock needs {stock:?}");
    }
    Ok(())
}

/// Fails if our plugin exports anything that stock does not, apart from the instances of C++ templates and inline
/// functions that either adapter happens to use, or anything of the Rust library.
pub fn compare_exports() -> Result<()> {
    let (ours, stock) = (exports(&Flavour::Rust.plugin_file())?, exports(&Flavour::Stock.plugin_file())?);
    let different: Vec<_> = ours.strong.symmetric_difference(&stock.strong).collect();
    if let Some(first) = different.first() {
        bail!("{} symbols are exported by one of the plugins only, such as {first}", different.len());
    }
    let library = symbols_in(&plugin::library(), &["--extern-only"])?;
    let library: Names = library.into_iter().map(|(name, _)| name).collect();
    if let Some(name) = ours.vague.intersection(&library).next() {
        bail!("our plugin exports {name} of the Rust library");
    }
    Ok(())
}

/// Rust's thread-local variables call the dynamic linker, which is in every process anyway.
const DYNAMIC_LINKER: &str = "ld-linux";

type Names = BTreeSet<String>;

/// The dynamic symbols that a file defines.
struct Exports {
    strong: Names,
    /// Those that any other object in the process may define as well ("vague linkage").
    vague: Names,
}

fn exports(plugin: &Path) -> Result<Exports> {
    let symbols = symbols_in(plugin, &["--dynamic"])?;
    let (vague, strong): (Vec<_>, Vec<_>) = symbols.into_iter().partition(|(_, kind)| "WVu".contains(*kind));
    let names = |symbols: Vec<(String, char)>| symbols.into_iter().map(|(name, _)| name).collect();
    Ok(Exports { strong: names(strong), vague: names(vague) })
}

/// Name and kind of each symbol that a file defines.
fn symbols_in(file: &Path, options: &[&str]) -> Result<Vec<(String, char)>> {
    let output = capture(command("nm").args(["--defined-only", "--format=posix"]).args(options).arg(file))?;
    Ok(output.lines().filter_map(symbol).collect())
}

/// Reads a line `name kind value size`; one that names a member of a library has no kind.
fn symbol(line: &str) -> Option<(String, char)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

fn needed(plugin: &Path) -> Result<Names> {
    let output = capture(command("readelf").args(["--dynamic", "--wide"]).arg(plugin))?;
    let entries = output.lines().filter(|line| line.contains("(NEEDED)"));
    let names = entries.filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']')));
    Ok(names.filter(|name| !name.starts_with(DYNAMIC_LINKER)).map(String::from).collect())
}
