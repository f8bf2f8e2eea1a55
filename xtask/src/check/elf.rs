// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the plugins consist of, and what they show to the dynamic linker.

use crate::build::plugin::{self, Flavour};
use crate::system::process::{Run, cmd, shell};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::Path;

/// The plugins that are compared with each other: ours and stock.
const PAIRS: [[Flavour; 2]; 2] = [Flavour::USUAL, Flavour::LINKED];

/// What a plugin that is linked to OpenSSL needs of it.
const OPENSSL: [&str; 2] = ["libssl.so", "libcrypto.so"];

/// Fails unless our plugins have the Rust library in them and stock has not: else they would not be worth comparing.
pub fn compare_contents() -> Result<()> {
    for flavour in PAIRS.concat() {
        let expected = !flavour.is_stock();
        let names = symbols_in(&flavour.plugin_file(), &[])?.into_iter();
        if names.map(|(name, _)| name).any(|name| name.starts_with("qdtls_")) != expected {
            let verb = if expected { "lacks" } else { "contains" };
            bail!("the {} plugin {verb} the functions of qdtls_rs.h", flavour.name());
        }
    }
    Ok(())
}

/// Fails unless each of our plugins needs the same shared libraries as stock. One more could be a second OpenSSL.
pub fn compare_needed() -> Result<()> {
    for [ours, stock] in PAIRS {
        let (needed_by_ours, needed_by_stock) = (needed(&ours.plugin_file())?, needed(&stock.plugin_file())?);
        if needed_by_ours != needed_by_stock {
            let name = ours.name();
            bail!("our {name} plugin needs {needed_by_ours:?}, stock needs {needed_by_stock:?}");
        }
        for library in OPENSSL {
            let is_needed = needed_by_ours.iter().any(|name| name.starts_with(library));
            if is_needed != Flavour::LINKED.contains(&ours) {
                let verb = if is_needed { "needs" } else { "does not need" };
                bail!("our {} plugin {verb} {library}", ours.name());
            }
        }
    }
    Ok(())
}

/// Fails if a plugin of ours exports anything that stock does not, apart from the instances of C++ templates and inline
/// functions that either adapter happens to use, or anything of the Rust library.
pub fn compare_exports() -> Result<()> {
    let library = symbols_in(&plugin::library(), &["--extern-only"])?;
    let library: Names = library.into_iter().map(|(name, _)| name).collect();
    for [ours, stock] in PAIRS {
        let (ours, stock) = (exports(&ours.plugin_file())?, exports(&stock.plugin_file())?);
        let different: Vec<_> = ours.strong.symmetric_difference(&stock.strong).collect();
        if let Some(first) = different.first() {
            bail!("{} symbols are exported by one of the plugins only, such as {first}", different.len());
        }
        if let Some(name) = ours.vague.intersection(&library).next() {
            bail!("our plugin exports {name} of the Rust library");
        }
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
    let output = cmd!(shell(), "nm --defined-only --format=posix {options...} {file}").capture()?;
    Ok(output.lines().filter_map(symbol).collect())
}

/// Reads a line `name kind value size`; one that names a member of a library has no kind.
fn symbol(line: &str) -> Option<(String, char)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

fn needed(plugin: &Path) -> Result<Names> {
    let output = cmd!(shell(), "readelf --dynamic --wide {plugin}").capture()?;
    let entries = output.lines().filter(|line| line.contains("(NEEDED)"));
    let names = entries.filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']')));
    Ok(names.filter(|name| !name.starts_with(DYNAMIC_LINKER)).map(String::from).collect())
}
