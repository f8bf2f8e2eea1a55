// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the plugins consist of, and what they show to the dynamic linker.

use crate::build::{Flavour, plugin};
use anyhow::{Context, Result, ensure};
use goblin::archive::Archive;
use goblin::elf::sym::{STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_FILE, STT_SECTION, Symtab};
use goblin::elf::{Elf, header::ELFMAG, section_header::SHN_UNDEF};
use goblin::strtab::Strtab;
use itertools::{Either, Itertools};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The plugins that are compared with each other: ours and stock.
const PAIRS: [[Flavour; 2]; 2] = [Flavour::USUAL, Flavour::LINKED];

/// Rust's thread-local variables call the dynamic linker, which is in every process anyway.
const DYNAMIC_LINKER: &str = "ld-linux";

type Names = BTreeSet<String>;

struct Plugin {
    /// The shared libraries that it needs.
    needed: Names,
    /// All that it defines, exported or not.
    defined: Names,
    /// What it exports, and what any other object in the process may define as well ("vague linkage").
    strong: Names,
    vague: Names,
}

impl Plugin {
    fn read(flavour: Flavour) -> Result<Self> {
        let data = read(&flavour.plugin_file())?;
        let elf = Elf::parse(&data)?;
        let needed = elf.libraries.iter().filter(|name| !name.starts_with(DYNAMIC_LINKER));
        let defined = definitions(&elf.syms, &elf.strtab).map(|(name, _)| name).collect();
        let exported = definitions(&elf.dynsyms, &elf.dynstrtab);
        let (vague, strong) = exported.partition_map(|(name, binding)| match binding {
            STB_WEAK | STB_GNU_UNIQUE => Either::Left(name),
            _ => Either::Right(name),
        });
        Ok(Self { needed: needed.map(|name| (*name).to_owned()).collect(), defined, strong, vague })
    }
}

/// Fails unless our plugins contain the Rust library and stock does not: otherwise comparing them would prove nothing.
pub fn compare_contents() -> Result<()> {
    for flavour in PAIRS.concat() {
        let contains = Plugin::read(flavour)?.defined.iter().any(|name| name.starts_with("qdtls_"));
        let name = flavour.name();
        ensure!(contains != flavour.is_stock, "the {name} plugin contains the Rust library: {contains}");
    }
    Ok(())
}

/// Fails unless each of our plugins needs the same shared libraries as stock. One more could be a second OpenSSL.
pub fn compare_needed() -> Result<()> {
    for [flavour, stock] in PAIRS {
        let (ours, stock) = (Plugin::read(flavour)?.needed, Plugin::read(stock)?.needed);
        ensure!(ours == stock, "our {} plugin needs {ours:?}, stock needs {stock:?}", flavour.name());
        for library in ["libssl.so", "libcrypto.so"] {
            let is_needed = ours.iter().any(|name| name.starts_with(library));
            ensure!(is_needed == flavour.is_linked, "our {} plugin needs {ours:?}", flavour.name());
        }
    }
    Ok(())
}

/// Fails if one of our plugins exports anything that stock does not, apart from the instances of C++ templates and inline
/// functions that either adapter happens to use, or anything of the Rust library.
pub fn compare_exports() -> Result<()> {
    let library = names_of_library()?;
    for [ours, stock] in PAIRS {
        let (ours, stock) = (Plugin::read(ours)?, Plugin::read(stock)?);
        let different: Vec<_> = ours.strong.symmetric_difference(&stock.strong).collect();
        ensure!(different.is_empty(), "exported by one of the plugins only: {different:?}");
        let exported: Vec<_> = ours.vague.intersection(&library).collect();
        ensure!(exported.is_empty(), "our plugin exports from the Rust library: {exported:?}");
    }
    Ok(())
}

/// The names that the objects of the Rust library define for others.
fn names_of_library() -> Result<Names> {
    let data = read(&plugin::library())?;
    let (archive, mut names) = (Archive::parse(&data)?, Names::new());
    for member in (0..archive.len()).filter_map(|index| archive.get_at(index)) {
        let object = data.get(member.offset as usize..).and_then(|data| data.get(..member.size()));
        let object = object.context("the Rust library is cut off")?;
        // An archive may also contain files of the compiler's own format.
        if object.starts_with(ELFMAG) {
            let elf = Elf::parse(object)?;
            let symbols = definitions(&elf.syms, &elf.strtab);
            names.extend(symbols.filter(|(_, binding)| *binding >= STB_GLOBAL).map(|(name, _)| name));
        }
    }
    ensure!(!names.is_empty(), "the Rust library defines nothing");
    Ok(names)
}

/// Name and binding of each symbol that is defined.
fn definitions(symbols: &Symtab, names: &Strtab) -> impl Iterator<Item = (String, u8)> {
    let defined = symbols.iter().filter(|symbol| symbol.st_shndx != SHN_UNDEF as usize);
    let named = defined.filter(|symbol| !matches!(symbol.st_type(), STT_FILE | STT_SECTION));
    named.filter_map(|symbol| Some((names.get_at(symbol.st_name)?.to_owned(), symbol.st_bind())))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
