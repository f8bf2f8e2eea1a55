// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the plugins consist of, and what they show to the dynamic linker.

use crate::build::{Flavour, plugin};
use crate::system::{Run, cmd, shell};
use anyhow::{Context, Result, ensure};
use goblin::archive::Archive;
use goblin::elf::dynamic::{DF_1_NOW, DF_BIND_NOW};
use goblin::elf::program_header::{PT_GNU_RELRO, PT_GNU_STACK};
use goblin::elf::sym::{STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_FILE, STT_SECTION, Symtab};
use goblin::elf::{Elf, header::ELFMAG, section_header::SHN_UNDEF};
use goblin::strtab::Strtab;
use itertools::{Either, Itertools};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The plugins that are compared with each other: ours and stock.
const PAIRS: [[Flavour; 2]; 2] = [Flavour::USUAL, Flavour::LINKED];

/// What is in every process of Qt's anyway: Rust's thread-local variables call the dynamic linker, and its panics the
/// unwinder, which libstdc++ needs, too.
const EVERYWHERE: [&str; 2] = ["ld-linux", "libgcc_s.so"];

type Names = BTreeSet<String>;

struct Plugin {
    /// The shared libraries that it needs.
    needed: Names,
    /// All that it defines, exported or not.
    defined: Names,
    /// What it exports, and what any other object in the process may define as well ("vague linkage").
    strong: Names,
    vague: Names,
    /// How the binary is protected against the use of its faults.
    protections: BTreeSet<&'static str>,
}

impl Plugin {
    fn of(flavour: Flavour) -> Result<Self> {
        Self::read(&flavour.plugin_file())
    }

    fn read(file: &Path) -> Result<Self> {
        let data = read(file)?;
        let elf = Elf::parse(&data)?;
        let needed = elf.libraries.iter().filter(|name| !EVERYWHERE.iter().any(|it| name.starts_with(it)));
        let defined = definitions(&elf.syms, &elf.strtab).map(|(name, _)| name).collect();
        let exported = definitions(&elf.dynsyms, &elf.dynstrtab);
        let (vague, strong) = exported.partition_map(|(name, binding)| match binding {
            STB_WEAK | STB_GNU_UNIQUE => Either::Left(name),
            _ => Either::Right(name),
        });
        let needed = needed.map(|name| (*name).to_owned()).collect();
        Ok(Self { needed, defined, strong, vague, protections: protections(&elf, &data) })
    }
}

/// Fails unless our plugins contain the Rust library and stock does not: otherwise comparing them would prove nothing.
pub fn compare_contents() -> Result<()> {
    for flavour in PAIRS.concat() {
        let contains = Plugin::of(flavour)?.defined.iter().any(|name| name.starts_with("qdtls_connection_"));
        let name = flavour.name();
        ensure!(contains != flavour.is_stock, "the {name} plugin contains the Rust library: {contains}");
    }
    Ok(())
}

/// Fails unless each of our plugins needs the same shared libraries as stock. One more could be a second OpenSSL.
pub fn compare_needed() -> Result<()> {
    for [flavour, stock] in PAIRS {
        let (ours, stock) = (Plugin::of(flavour)?.needed, Plugin::of(stock)?.needed);
        ensure!(ours == stock, "our {} plugin needs {ours:?}, stock needs {stock:?}", flavour.name());
        for library in ["libssl.so", "libcrypto.so"] {
            let is_needed = ours.iter().any(|name| name.starts_with(library));
            ensure!(is_needed == flavour.is_linked, "our {} plugin needs {ours:?}", flavour.name());
        }
    }
    Ok(())
}

/// What applications look for in our plugin (include/qdtls_rs_qt.h).
const INTERFACE: &str = "qdtlsrs_interface";
/// What Qt looks for in a plugin.
const ENTRIES: [&str; 2] = ["qt_plugin_instance", "qt_plugin_query_metadata_v2"];

/// Fails if one of our plugins exports anything that stock does not, apart from that and the instances of C++ templates and inline
/// functions that either adapter happens to use, or anything of the Rust library.
pub fn compare_exports() -> Result<()> {
    let library = names_of_library()?;
    for [ours, stock] in PAIRS {
        let (mut ours, stock) = (Plugin::of(ours)?, Plugin::of(stock)?);
        ensure!(ours.strong.remove(INTERFACE), "our plugin does not export {INTERFACE}");
        let missing: Vec<_> = ENTRIES.iter().filter(|name| !ours.strong.contains(**name)).collect();
        ensure!(missing.is_empty(), "our plugin does not export {missing:?}");
        // Stock has more, as link-time optimisation binds inline variables.
        let more: Vec<_> = ours.strong.difference(&stock.strong).collect();
        ensure!(more.is_empty(), "exported by our plugin only: {more:?}");
        let exported: Vec<_> = ours.vague.intersection(&library).collect();
        ensure!(exported.is_empty(), "our plugin exports from the Rust library: {exported:?}");
    }
    Ok(())
}

/// Fails if one of our plugins lacks a protection that stock has, built by the same recipe, or as it is installed.
pub fn compare_protections() -> Result<()> {
    for [ours, stock] in PAIRS {
        check_protections(&ours.plugin_file(), &stock.plugin_file())?;
    }
    let pattern = format!("*/tls/{}", plugin::FILE_NAME);
    let found = cmd!(shell(), "dpkg-query --search {pattern}").capture()?;
    let installed =
        found.lines().find_map(|line| line.split_once(": ")).context("no plugin of Qt's is installed")?;
    check_protections(&Flavour::OURS.plugin_file(), Path::new(installed.1))
}

pub fn check_protections(ours: &Path, stock: &Path) -> Result<()> {
    let (name, of_ours, of_stock) =
        (ours.display(), Plugin::read(ours)?.protections, Plugin::read(stock)?.protections);
    ensure!(of_stock.contains("RELRO"), "{} is not protected at all", stock.display());
    let missing: Vec<_> = of_stock.difference(&of_ours).collect();
    ensure!(missing.is_empty(), "{name} lacks {missing:?}, which {} has", stock.display());
    Ok(())
}

/// Fails if the plugin has symbols beyond those that the dynamic linker needs.
pub fn check_stripped(plugin: &Path) -> Result<()> {
    let symbols = Plugin::read(plugin)?.defined.len();
    ensure!(symbols == 0, "{} has {symbols} symbols to be stripped", plugin.display());
    Ok(())
}

/// Those that a file shows. Functions of libc that check their bounds appear only where the compiler could not tell.
fn protections(elf: &Elf, data: &[u8]) -> BTreeSet<&'static str> {
    let header = |kind| elf.program_headers.iter().find(|header| header.p_type == kind);
    let dynamic = elf.dynamic.as_ref().map(|dynamic| &dynamic.info);
    let imports = || elf.dynsyms.iter().filter_map(|symbol| elf.dynstrtab.get_at(symbol.st_name));
    let branches = branch_protections(elf, data);
    let shown = [
        ("RELRO", header(PT_GNU_RELRO).is_some()),
        (
            "BIND_NOW",
            dynamic.is_some_and(|info| info.flags & DF_BIND_NOW != 0 || info.flags_1 & DF_1_NOW != 0),
        ),
        ("a stack without code", header(PT_GNU_STACK).is_some_and(|header| !header.is_executable())),
        ("stack protector", imports().any(|name| name == "__stack_chk_fail")),
        ("fortify", imports().any(|name| name.ends_with("_chk"))),
        ("branch targets (IBT, BTI)", branches & 1 != 0),
        ("return addresses (SHSTK, PAC)", branches & 2 != 0),
    ];
    shown.into_iter().filter(|(_, is_shown)| *is_shown).map(|(name, _)| name).collect()
}

/// The bits of GNU_PROPERTY_X86_FEATURE_1_AND or GNU_PROPERTY_AARCH64_FEATURE_1_AND: type, size, bits.
fn branch_protections(elf: &Elf, data: &[u8]) -> u32 {
    let notes = elf.iter_note_sections(data, Some(".note.gnu.property")).into_iter().flatten().flatten();
    let words = notes.flat_map(|note| note.desc.chunks_exact(4).filter_map(|word| word.try_into().ok()));
    let words: Vec<_> = words.map(u32::from_le_bytes).collect();
    let properties = words.windows(3).filter(|words| [0xc000_0002, 0xc000_0000].contains(&words[0]));
    properties.map(|words| words[2]).fold(0, |all, bits| all | bits)
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
