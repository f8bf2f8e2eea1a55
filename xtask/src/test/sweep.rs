// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask sweep`: DTLS exchanges in which one allocation fails, or all from one on: OpenSSL's, or else the
//! plugin's together with Qt's on its behalf.
//!
//! The program `allocation_sweep` makes them fail and reports how each exchange ended. This module names the places of
//! what went wrong. A place is where the plugin's code was left, and for which library: a function of Qt's, or a file of
//! the crate, because the compiler inlines its functions. `qt-tests/allocation/known.tsv` lists the places that the
//! library cannot mend; any other fails the sweep.

use crate::build::{Flavour, plugin};
use crate::system::{Run, cmd, shell, workspace};
use crate::test::qt_program::QtProgram;
use anyhow::{Result, ensure};
use derive_more::Display;
use itertools::Itertools;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

const KNOWN: &str = "qt-tests/allocation/known.tsv";

/// Which of the allocations are failed: every so many of those in a later exchange, and in the first of a process.
#[derive(Clone, Copy)]
pub struct Intervals {
    later: u32,
    first: u32,
}

impl Intervals {
    /// All of them, which takes five minutes.
    pub const ALL: Self = Self { later: 1, first: 1 };
    /// All in a later exchange, for two minutes.
    pub const USUAL: Self = Self { later: 1, first: 10 };
    /// As many as there is time for in a test. Primes, so that no repetition within an exchange hides a place.
    pub const SAMPLE: Self = Self { later: 5, first: 29 };

    /// The sweeps of the program `allocation_sweep` with their intervals.
    fn sweeps(self) -> [(&'static str, u32); 5] {
        let Self { later, first } = self;
        [
            ("later", later),
            ("first", first),
            ("plugin-later", later),
            ("plugin-psk", later),
            ("plugin-first", first),
        ]
    }
}

/// Sweeps our plugin; fails when something goes wrong at a place that is not known. Returns how many sweeps there were.
pub fn check(intervals: Intervals) -> Result<u32> {
    check_controls()?;
    let known = known()?;
    let Sweeps { findings: mut unknown, failed } = sweep(Flavour::OURS, intervals)?;
    check_reach(&failed)?;
    unknown.retain(|finding| finding.is_ours || !known.contains(&finding.key));
    let list = unknown.iter().join("\n    ");
    ensure!(unknown.is_empty(), "a failed allocation must not lead to\n    {list}");
    Ok(6)
}

/// Fails unless allocations of every part were failed: of the crate, of the adapter, and of Qt for the adapter.
fn check_reach(failed: &BTreeSet<String>) -> Result<()> {
    let is_part = |place: &str, part| place.starts_with(part) && !place.starts_with("src/qt/");
    for (part, is_reached) in [
        ("Rust", failed.iter().any(|place| is_part(place, "src/"))),
        ("C++", failed.iter().any(|place| place.starts_with("libstdc++ from src/qt/"))),
        ("QtCore", failed.iter().any(|place| place.starts_with("libQt6Core from src/qt/"))),
        ("QtNetwork", failed.iter().any(|place| place.starts_with("libQt6Network from src/qt/"))),
    ] {
        ensure!(is_reached, "no allocation of {part} was failed");
    }
    Ok(())
}

/// Fails unless the program notices faults that are made on purpose.
fn check_controls() -> Result<()> {
    let rows = rows(Flavour::OURS, "controls", 1)?.into_iter();
    let controls = rows.map(|row| (row.sweep, row.outcome)).into_group_map();
    ensure!(controls.len() == 5, "there are five controls");
    for (name, outcomes) in controls {
        ensure!(outcomes.contains(&name), "the sweep does not notice: {name}");
    }
    Ok(())
}

/// What sweeps found.
pub struct Sweeps {
    findings: Vec<Finding>,
    /// The places of the allocations of the plugin's that were failed.
    failed: BTreeSet<String>,
}

/// Something that goes wrong, and how often.
#[derive(Display)]
#[display("{}, {count} times in {} exchanges: {} ({example})", key[1], key[0], key[2])]
pub struct Finding {
    /// Kind of sweep, outcome and place.
    key: [String; 3],
    /// The code at fault is this project's, with no other code between.
    is_ours: bool,
    count: u32,
    example: String,
}

/// Sweeps a plugin, and shows what goes wrong.
pub fn sweep(flavour: Flavour, intervals: Intervals) -> Result<Sweeps> {
    let mut sweeps = Sweeps { findings: Vec::new(), failed: BTreeSet::new() };
    for (name, interval) in intervals.sweeps() {
        let rows = rows(flavour, name, interval)?;
        let counts = rows.iter().counts_by(|row| &row.outcome);
        let counts = counts.into_iter().sorted().map(|(outcome, count)| format!("{count} {outcome}"));
        println!("    {:5} {name}: {}", flavour.name(), counts.format(", "));
        let code = code_of(&rows)?;
        if name.starts_with("plugin") {
            sweeps.failed.extend(rows.iter().map(|row| place(&row.failed, &code).0));
        }
        sweeps.findings.extend(find(rows, &code));
    }
    for finding in &sweeps.findings {
        println!("        {finding}");
    }
    Ok(sweeps)
}

/// What became of one failed allocation; see `qt-tests/allocation/sweep.h`.
#[derive(Deserialize)]
struct Row {
    sweep: String,
    failure: String,
    number: u32,
    outcome: String,
    detail: String,
    #[serde(deserialize_with = "frames")]
    failed: Vec<Frame>,
    #[serde(deserialize_with = "frames")]
    place: Vec<Frame>,
}

/// A library and an offset in it.
type Frame = (String, String);

fn rows(flavour: Flavour, what: &str, interval: u32) -> Result<Vec<Row>> {
    let file = workspace::target(&format!("qt-tests/sweep-{}-{what}.tsv", flavour.name()));
    let arguments = [what, &interval.to_string(), &file.to_string_lossy()];
    QtProgram::new("allocation_sweep", flavour).run(&arguments)?;
    let rows: Vec<_> = workspace::table(&workspace::read(file)?)?;
    ensure!(!rows.is_empty(), "nothing was swept");
    Ok(rows)
}

fn frames<'a, D: Deserializer<'a>>(column: D) -> Result<Vec<Frame>, D::Error> {
    let frame = |text: &str| {
        let (library, offset) = text.rsplit_once('+').ok_or_else(|| D::Error::custom("not a frame"))?;
        Ok((library.into(), offset.into()))
    };
    String::deserialize(column)?.split(' ').filter(|text| *text != "-").map(frame).collect()
}

/// Sorts by place what is not fine.
fn find(mut rows: Vec<Row>, code: &HashMap<Frame, Code>) -> Vec<Finding> {
    rows.retain(|row| row.outcome != "completed" && row.outcome != "refused");
    let mut findings = BTreeMap::<_, Finding>::new();
    for Row { sweep, failure, number, outcome, detail, failed, place } in rows {
        let example = format!("{failure} {number}: {detail}");
        // A leak is explained by what failed, not by what was lost.
        let crashed = outcome.starts_with("crash") || outcome == "hang";
        let (place, is_direct) = self::place(if crashed { &place } else { &failed }, code);
        // The exchanges of the plugin's sweeps differ, but not in what is known.
        let kind = sweep.split('-').next().unwrap_or_default().into();
        let (key, is_ours) = ([kind, outcome, place], crashed && is_direct);
        let finding = findings.entry(key.clone());
        finding.or_insert(Finding { key, is_ours, count: 0, example }).count += 1;
    }
    findings.into_values().collect()
}

/// Where in the plugin the innermost part of the stack begins, and which library that part is; whether there is no such
/// part and the plugin's code is ours.
fn place(stack: &[Frame], code: &HashMap<Frame, Code>) -> (String, bool) {
    // The C library is not at fault, and the kernel's way into a signal handler leads through it.
    let ignored = ["libc.so", "allocation_sweep", plugin::FILE_NAME];
    let foreign = |frame: &&Frame| !ignored.iter().any(|name| is_file(frame, name));
    // Code of a library's header, or of Rust's own, belongs to who calls it.
    let in_plugin = stack.iter().position(|frame| code.contains_key(frame));
    let in_plugin = in_plugin.or_else(|| stack.iter().position(|frame| is_file(frame, plugin::FILE_NAME)));
    let called = stack[..in_plugin.unwrap_or(stack.len())].iter().rfind(foreign);
    let library = |(path, _): &Frame| {
        let file = path.rsplit('/').next().unwrap_or(path);
        file.split('.').next().unwrap_or(file).to_owned()
    };
    match (called, in_plugin.and_then(|index| code.get(&stack[index]))) {
        (Some(called), Some((caller, _))) => (format!("{} from {caller}", library(called)), false),
        (Some(called), None) => (library(called), false),
        (None, Some(caller)) => caller.clone(),
        (None, None) => ("nowhere".into(), true),
    }
}

fn is_file((library, _): &Frame, name: &str) -> bool {
    Path::new(library).file_name().is_some_and(|file| file.to_string_lossy().starts_with(name))
}

/// The name of code of the plugin, and whether it is ours.
type Code = (String, bool);

/// The code that those of the frames lie in that lie in the plugin.
fn code_of(rows: &[Row]) -> Result<HashMap<Frame, Code>> {
    let frames = rows.iter().flat_map(|row| row.failed.iter().chain(&row.place));
    let frames: BTreeSet<_> = frames.filter(|frame| is_file(frame, plugin::FILE_NAME)).collect();
    let Some((plugin, _)) = frames.first() else { return Ok(HashMap::new()) };
    let offsets = frames.iter().map(|(_, offset)| offset);
    let options = "--demangle --functions --inlines --addresses";
    let options = options.split(' ');
    let output = cmd!(shell(), "addr2line {options...} --exe {plugin} {offsets...}").capture()?;
    let mut code = HashMap::new();
    let lines: Vec<_> = output.lines().collect();
    let addresses = lines.split(|line| line.starts_with("0x")).skip(1);
    for (frame, functions) in frames.into_iter().zip(addresses) {
        let found = functions.chunks_exact(2).find_map(|pair| self::code(pair[0], pair[1]));
        code.extend(found.map(|found| (frame.clone(), found)));
    }
    Ok(code)
}

/// None for code that is neither ours nor of Qt's plugin.
fn code(function: &str, file_and_line: &str) -> Option<Code> {
    let is_qt = file_and_line.contains("/src/plugins/tls/");
    // Which function it is for, its caller says; Qt calls OpenSSL through functions that add `q_`.
    if function.starts_with("operator") || is_qt && function.starts_with("q_") {
        return None;
    }
    if is_qt {
        // Without the parameters, which differ between versions.
        return Some((function.split('(').next().unwrap_or_default().into(), false));
    }
    let file = file_and_line.split(':').next().unwrap_or_default();
    if file.starts_with("/rustc/") || file.starts_with("/usr/include/") {
        return None;
    }
    file.rfind("/src/").map(|start| (file[start + 1..].into(), true))
}

/// The known places, without their reasons.
fn known() -> Result<BTreeSet<[String; 3]>> {
    let lines: Vec<[String; 4]> = workspace::table(&workspace::read(KNOWN)?)?;
    Ok(lines.into_iter().map(|[sweep, outcome, place, _reason]| [sweep, outcome, place]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IntoDeserializer;

    const PLUGIN: &str = "/p/tls/libqopensslbackend.so";

    fn frames_of(stack: &str) -> Result<Vec<Frame>, serde::de::value::Error> {
        frames(stack.into_deserializer())
    }

    #[test]
    fn places_are_where_the_plugin_is_left() {
        let ours = code("hmac", "/r/src/openssl/digest.rs:7").unwrap();
        let qts =
            code("QSslContext::make(int)", "/qt/src/plugins/tls/openssl/x.cpp:1 (discriminator 2)").unwrap();
        let symbols = "/qt/src/plugins/tls/openssl/qsslsocket_openssl_symbols.cpp:1";
        for (function, file_and_line) in [
            ("alloc", "/rustc/0/library/std/src/sys/alloc/unix.rs:14"),
            ("q_SSL_CTX_use_certificate(ssl_ctx_st*, x509_st*)", symbols),
            ("operator new(unsigned long)", symbols),
        ] {
            assert_eq!(code(function, file_and_line), None, "{function}");
        }
        let callback = code("q_X509DtlsCallback", "/r/src/openssl/callbacks.rs:79");
        assert_eq!(callback, Some(("src/openssl/callbacks.rs".into(), true)), "Qt declares it");
        let code = [("0x1", ours), ("0x2", qts)].map(|(offset, code)| ((PLUGIN.into(), offset.into()), code));
        let code = HashMap::from(code);
        let crash = "/t/allocation_sweep+0x9 /lib/libc.so.6+0x9";
        let crypto = "/lib/libcrypto.so.3+0x4 /lib/libssl.so.3+0x3";
        for (stack, expected, is_ours) in [
            (format!("{crypto} {PLUGIN}+0x1 {PLUGIN}+0x2"), "libssl from src/openssl/digest.rs", false),
            (format!("{crash} {crypto} {PLUGIN}+0x2"), "libssl from QSslContext::make", false),
            (format!("{crash} {PLUGIN}+0x1 {PLUGIN}+0x2"), "src/openssl/digest.rs", true),
            (format!("{crash} {PLUGIN}+0x2 {PLUGIN}+0x1"), "QSslContext::make", false),
            (format!("{PLUGIN}+0x3 {PLUGIN}+0x2"), "QSslContext::make", false),
            (crypto.into(), "libssl", false),
            ("-".into(), "nowhere", true),
        ] {
            let found = place(&frames_of(&stack).unwrap(), &code);
            assert_eq!(found, (expected.to_owned(), is_ours), "{stack}");
        }
    }

    #[test]
    fn rows_are_read() {
        let rows: Vec<Row> =
            workspace::table("later\tonce\t7\tleak\tx\t/a/libx+y.so+0x1 /b+0x2\t-\n").unwrap();
        assert_eq!((&*rows[0].outcome, rows[0].number), ("leak", 7));
        let frame = |library: &str, offset: &str| (library.to_owned(), offset.to_owned());
        assert_eq!(rows[0].failed, [frame("/a/libx+y.so", "0x1"), frame("/b", "0x2")]);
        assert!(workspace::table::<Row>("later\tonce\t7\n").is_err());
        assert!(frames_of("no-offset").is_err());
    }
}
