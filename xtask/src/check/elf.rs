// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the plugins consist of, and what they show to the dynamic linker.

use crate::build::{Flavour, plugin};
use anyhow::{Context, Result, ensure};
use object::elf::{DT_NEEDED, ELFMAG, STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK};
use object::read::archive::ArchiveFile;
use object::read::elf::{Dyn, ElfFile64};
use object::{Object, ObjectSymbol, SymbolFlags, SymbolKind};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The plugins that are compared with each other: ours and stock.
const PAIRS: [[Flavour; 2]; 2] = [Flavour::USUAL, Flavour::LINKED];

/// Rust's thread-local variables call the dynamic linker, which is in every process anyway.
const DYNAMIC_LINKER: &str = "ld-linux";

type Names = BTreeSet<String>;

/// Fails unless our plugins contain the Rust library and stock does not: otherwise comparing them would prove nothing.
pub fn compare_contents() -> Result<()> {
    for flavour in PAIRS.concat() {
        let data = read(&flavour.plugin_file())?;
        let is_ours = |(name, _): &(String, u8)| name.starts_with("qdtls_");
        let contains = definitions(parse(&data)?.symbols()).iter().any(is_ours);
        let name = flavour.name();
        ensure!(contains != flavour.is_stock, "the {name} plugin contains the Rust library: {contains}");
    }
    Ok(())
}

/// Fails unless each of our plugins needs the same shared libraries as stock. One more could be a second OpenSSL.
pub fn compare_needed() -> Result<()> {
    for [ours, stock] in PAIRS {
        let (is_linked, name) = (ours.is_linked, ours.name());
        let (ours, stock) = (needed(&ours.plugin_file())?, needed(&stock.plugin_file())?);
        ensure!(ours == stock, "our {name} plugin needs {ours:?}, stock needs {stock:?}");
        for library in ["libssl.so", "libcrypto.so"] {
            let is_needed = ours.iter().any(|name| name.starts_with(library));
            ensure!(is_needed == is_linked, "our {name} plugin needs {library}: {is_needed}");
        }
    }
    Ok(())
}

/// Fails if one of our plugins exports anything that stock does not, apart from the instances of C++ templates and inline
/// functions that either adapter happens to use, or anything of the Rust library.
pub fn compare_exports() -> Result<()> {
    let library = names_of_library()?;
    for [ours, stock] in PAIRS {
        let ([ours, vague], [stock, _]) = (exports(&ours.plugin_file())?, exports(&stock.plugin_file())?);
        let different: Vec<_> = ours.symmetric_difference(&stock).collect();
        ensure!(different.is_empty(), "exported by one of the plugins only: {different:?}");
        let exported: Vec<_> = vague.intersection(&library).collect();
        ensure!(exported.is_empty(), "our plugin exports from the Rust library: {exported:?}");
    }
    Ok(())
}

/// The strong dynamic symbols that a file defines, and those that any other object in the process may define as well
/// ("vague linkage").
fn exports(plugin: &Path) -> Result<[Names; 2]> {
    let data = read(plugin)?;
    let symbols = definitions(parse(&data)?.dynamic_symbols());
    let (vague, strong): (Vec<_>, Vec<_>) =
        symbols.into_iter().partition(|(_, binding)| [STB_WEAK, STB_GNU_UNIQUE].contains(binding));
    Ok([strong, vague].map(|symbols| symbols.into_iter().map(|(name, _)| name).collect()))
}

/// The names that the objects of the Rust library define for others.
fn names_of_library() -> Result<Names> {
    let data = read(&plugin::library())?;
    let mut names = Names::new();
    for member in ArchiveFile::parse(&*data)?.members() {
        let member = member?.data(&*data)?;
        // An archive may also contain files of the compiler's own format.
        if !member.starts_with(&ELFMAG) {
            continue;
        }
        let symbols = definitions(parse(member)?.symbols()).into_iter();
        names.extend(symbols.filter(|(_, binding)| *binding >= STB_GLOBAL).map(|(name, _)| name));
    }
    ensure!(!names.is_empty(), "the Rust library defines nothing");
    Ok(names)
}

/// Name and binding of each symbol that is defined.
fn definitions<'a>(symbols: impl Iterator<Item = impl ObjectSymbol<'a>>) -> Vec<(String, u8)> {
    let mut found = Vec::new();
    for symbol in symbols.filter(|symbol| !symbol.is_undefined()) {
        let is_name = !matches!(symbol.kind(), SymbolKind::File | SymbolKind::Section);
        if let (true, Ok(name), SymbolFlags::Elf { st_info, .. }) = (is_name, symbol.name(), symbol.flags()) {
            found.push((name.to_owned(), st_info >> 4));
        }
    }
    found
}

fn needed(plugin: &Path) -> Result<Names> {
    let data = read(plugin)?;
    let (file, mut names) = (parse(&data)?, Names::new());
    let (endian, sections) = (file.endian(), file.elf_section_table());
    let (entries, link) = sections.dynamic(endian, &*data)?.context("no dynamic section")?;
    let strings = sections.strings(endian, &*data, link)?;
    for entry in entries.iter().filter(|entry| entry.tag32(endian) == Some(DT_NEEDED)) {
        names.insert(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
    }
    names.retain(|name| !name.starts_with(DYNAMIC_LINKER));
    Ok(names)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn parse(data: &[u8]) -> object::Result<ElfFile64<'_>> {
    ElfFile64::parse(data)
}
