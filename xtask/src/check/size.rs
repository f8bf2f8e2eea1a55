// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugins' sizes without what `strip` takes, and where the bytes are.

use crate::build::Flavour;
use crate::system::{Run, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use derive_more::Display;
use goblin::elf::section_header::SHT_NOBITS;
use goblin::elf::sym::{STT_FUNC, STT_OBJECT, STT_TLS, Sym};
use goblin::elf::{Elf, SectionHeader};
use itertools::Itertools;
use std::collections::BTreeMap;
use std::fs;
use strum::VariantArray;

/// Bytes of our plugin at most, for embedded systems count them.
pub const MOST: u64 = 560 << 10;

/// Whose a byte is, or what it is for.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, PartialOrd, Ord, Hash, VariantArray)]
pub enum Origin {
    #[display("Qt's files, with Qt's own DTLS in stock")]
    Qt,
    #[display("the adapter")]
    Adapter,
    #[display("this library")]
    Library,
    #[display("Rust's standard library, other crates")]
    Std,
    #[display("tables for unwinding")]
    Unwinding,
    #[display("tables for the dynamic linker")]
    Linking,
    #[display("constants without a name, padding, headers")]
    Rest,
}

pub type Sizes = BTreeMap<Origin, u64>;

/// Fails if our plugin has grown beyond [`MOST`].
pub fn check() -> Result<()> {
    let size: u64 = of(Flavour::OURS)?.values().sum();
    ensure!(
        size <= MOST,
        "the plugin has {size} bytes, stripped; {MOST} are allowed: see `cargo xtask size`"
    );
    Ok(())
}

pub fn show() -> Result<()> {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(["bytes of the plugin, stripped", "stock", "ours"]);
    table.add_rows(rows()?);
    println!("{table}");
    Ok(())
}

/// Each origin with the bytes of stock and ours, and the sums.
pub fn rows() -> Result<Vec<[String; 3]>> {
    let [stock, ours] = [of(Flavour::STOCK)?, of(Flavour::OURS)?];
    let row =
        |name: String, of: &dyn Fn(&Sizes) -> u64| [name, of(&stock).to_string(), of(&ours).to_string()];
    let of_origin = |origin: &Origin| {
        row(origin.to_string(), &|sizes: &Sizes| sizes.get(origin).copied().unwrap_or_default())
    };
    let sum = row("all".into(), &|sizes| sizes.values().sum());
    Ok(Origin::VARIANTS.iter().map(of_origin).chain([sum]).collect())
}

/// The sums are the sizes of the files.
pub fn of(flavour: Flavour) -> Result<Sizes> {
    let file = flavour.plugin_file();
    let data = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let stripped = workspace::target("stripped-plugin.so");
    cmd!(shell(), "strip -o {stripped} {file}").quietly()?;
    let mut sizes = sizes(&Elf::parse(&data)?);
    let named: u64 = sizes.values().sum();
    sizes.insert(Origin::Rest, fs::metadata(stripped)?.len() - named);
    Ok(sizes)
}

/// Those of symbols, and of sections that have none.
fn sizes(elf: &Elf) -> Sizes {
    let section = |symbol: &Sym| elf.section_headers.get(symbol.st_shndx);
    let is_in_file = |section: &SectionHeader| section.sh_type != SHT_NOBITS && section.is_alloc();
    let symbols = elf.syms.iter().filter(|symbol| {
        matches!(symbol.st_type(), STT_FUNC | STT_OBJECT | STT_TLS) && section(symbol).is_some_and(is_in_file)
    });
    // Several names of one function count once.
    let symbols = symbols.unique_by(|symbol| (symbol.st_shndx, symbol.st_value));
    let named = symbols
        .map(|symbol| (of_symbol(elf.strtab.get_at(symbol.st_name).unwrap_or_default()), symbol.st_size));
    let sections = elf.section_headers.iter().filter(|section| is_in_file(section));
    let tables = sections
        .filter_map(|section| Some((of_section(elf.shdr_strtab.get_at(section.sh_name)?)?, section.sh_size)));
    named.chain(tables).into_grouping_map().sum().into_iter().collect()
}

/// By a mangled name. An instance of a generic function is its crate's for whose type it was made.
fn of_symbol(name: &str) -> Origin {
    let is_rusts = name.starts_with("_R")
        || name.contains("rust_")
        || name.rfind("17h").is_some_and(|hash| name.starts_with("_ZN") && name.len() == hash + 20);
    if name.contains("QdtlsRs") || name.contains("qdtlsrs") {
        Origin::Adapter
    } else if name.starts_with("qdtls_") || name.contains("8qdtls_rs") || name.contains("qdtls_rs..") {
        Origin::Library
    } else if !is_rusts {
        Origin::Qt
    } else {
        Origin::Std
    }
}

/// Of the sections without symbols.
fn of_section(name: &str) -> Option<Origin> {
    const LINKING: [&str; 10] =
        [".dyn", ".rel", ".gnu.hash", ".gnu.version", ".hash", ".plt", ".got", ".init", ".fini", ".interp"];
    let is_one_of = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    if is_one_of(&[".eh_frame", ".gcc_except_table"]) {
        Some(Origin::Unwinding)
    } else {
        is_one_of(&LINKING).then_some(Origin::Linking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_an_origin() {
        for (name, origin) in [
            ("_ZN17QdtlsRsConnection7initTlsEv", Origin::Adapter),
            ("qdtlsrs_interface", Origin::Adapter),
            ("qdtls_connection_new", Origin::Library),
            ("_RNvNtCs1_8qdtls_rs5panic6report", Origin::Library),
            ("_ZN8qdtls_rs5panic6report17h0123456789abcdefE", Origin::Library),
            ("_RNvNtCs1_3std9panicking20rust_panic_with_hook", Origin::Std),
            ("_ZN3std9panicking10panic_impl17h0123456789abcdefE", Origin::Std),
            ("rust_eh_personality", Origin::Std),
            ("_RNvNtCs1_7zeroize3foo", Origin::Std),
            ("_ZN11QSslContext6sharedEv", Origin::Qt),
            ("q_SSL_new", Origin::Qt),
        ] {
            assert_eq!(of_symbol(name), origin, "{name}");
        }
        assert_eq!(of_section(".eh_frame_hdr"), Some(Origin::Unwinding));
        assert_eq!(of_section(".rela.dyn"), Some(Origin::Linking));
        assert_eq!(of_section(".text"), None);
    }
}
