// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask sweep`: DTLS exchanges in which one of OpenSSL's allocations fails, or all from one on.
//!
//! The program `allocation_sweep` makes them fail and reports how each exchange ended. This module names the places of
//! what went wrong. A place is where the plugin's code was left, and for which library: a function of Qt's, or a file of
//! the crate, because the compiler inlines its functions. `qt-tests/allocation/known.tsv` lists the places that the
//! library cannot mend; any other fails the sweep.

use crate::build::{Flavour, plugin};
use crate::system::workspace::{self, columns};
use crate::system::{Run, cmd, shell};
use crate::test::qt_program::QtProgram;
use anyhow::{Context, Result, ensure};
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
    /// All of them, which takes three minutes.
    pub const ALL: Self = Self { later: 1, first: 1 };
    /// All in a later exchange, for a minute.
    pub const USUAL: Self = Self { later: 1, first: 10 };
    /// As many as there is time for in a test. Primes, so that no repetition within an exchange hides a place.
    pub const SAMPLE: Self = Self { later: 5, first: 29 };
}

/// Sweeps our plugin; fails when something goes wrong at a place that is not known. Returns how many sweeps there were.
pub fn check(intervals: Intervals) -> Result<u32> {
    check_controls()?;
    let (known, mut unknown) = (known()?, sweep(Flavour::OURS, intervals)?);
    unknown.retain(|finding| finding.is_ours || !known.contains(&finding.key));
    let unknown: Vec<_> = unknown.iter().map(Finding::to_string).collect();
    ensure!(unknown.is_empty(), "a failed allocation must not lead to\n    {}", unknown.join("\n    "));
    Ok(3)
}

/// Fails unless the program notices faults that are made on purpose.
fn check_controls() -> Result<()> {
    let rows = rows(Flavour::OURS, "controls", 1)?;
    let names: BTreeSet<_> = rows.iter().map(|row| row.sweep.as_str()).collect();
    ensure!(names.len() == 5, "there are five controls");
    for name in names {
        let mut of_name = rows.iter().filter(|row| row.sweep == name);
        ensure!(of_name.any(|row| row.outcome == name), "the sweep does not notice: {name}");
    }
    Ok(())
}

/// Something that goes wrong, and how often.
pub struct Finding {
    /// Sweep, outcome and place.
    key: [String; 3],
    /// The code at fault is this project's, with no other code between.
    is_ours: bool,
    count: u32,
    example: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key: [sweep, outcome, place], count, example, .. } = self;
        write!(formatter, "{outcome}, {count} times in {sweep} exchanges: {place} ({example})")
    }
}

/// Sweeps a plugin, and shows what goes wrong.
pub fn sweep(flavour: Flavour, intervals: Intervals) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (name, interval) in [("later", intervals.later), ("first", intervals.first)] {
        let rows = rows(flavour, name, interval)?;
        let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
        let (completed, refused) = (count("completed"), count("refused"));
        let bad = rows.len() - completed - refused;
        let plugin = flavour.name();
        println!("    {plugin:5} {name}: {completed} completed, {refused} refused, {bad} otherwise");
        findings.extend(find(rows)?);
    }
    for finding in &findings {
        println!("        {finding}");
    }
    Ok(findings)
}

/// What became of one failed allocation; see `qt-tests/allocation/sweep.h`.
struct Row {
    sweep: String,
    outcome: String,
    example: String,
    failed: Vec<Frame>,
    place: Vec<Frame>,
}

/// A library and an offset in it.
type Frame = (String, String);

fn rows(flavour: Flavour, what: &str, interval: u32) -> Result<Vec<Row>> {
    let file = workspace::target(&format!("qt-tests/sweep-{}-{what}.tsv", flavour.name()));
    let arguments = [what, &interval.to_string(), &file.to_string_lossy()];
    QtProgram::new("allocation_sweep", flavour).run(&arguments)?;
    let rows = workspace::read(file)?.lines().map(row).collect::<Result<Vec<_>>>()?;
    ensure!(!rows.is_empty(), "nothing was swept");
    Ok(rows)
}

fn row(line: &str) -> Result<Row> {
    let [sweep, failure, number, outcome, detail, failed, place] = columns(line)?;
    let example = format!("{failure} {number}: {detail}");
    let (failed, place) = (frames(failed)?, frames(place)?);
    Ok(Row { sweep: sweep.into(), outcome: outcome.into(), example, failed, place })
}

fn frames(text: &str) -> Result<Vec<Frame>> {
    let frame = |text: &str| {
        let (library, offset) = text.rsplit_once('+').with_context(|| format!("'{text}' is no frame"))?;
        Ok((library.into(), offset.into()))
    };
    text.split(' ').filter(|text| *text != "-").map(frame).collect()
}

/// Sorts by place what is not fine.
fn find(mut rows: Vec<Row>) -> Result<Vec<Finding>> {
    rows.retain(|row| row.outcome != "completed" && row.outcome != "refused");
    let code = code_of(&rows)?;
    let mut findings = BTreeMap::<_, Finding>::new();
    for Row { sweep, outcome, example, failed, place } in rows {
        // A leak is explained by what failed, not by what was lost.
        let crashed = outcome.starts_with("crash") || outcome == "hang";
        let (place, is_direct) = self::place(if crashed { &place } else { &failed }, &code);
        let (key, is_ours) = ([sweep, outcome, place], crashed && is_direct);
        let finding = findings.entry(key.clone());
        finding.or_insert(Finding { key, is_ours, count: 0, example }).count += 1;
    }
    Ok(findings.into_values().collect())
}

/// Where in the plugin the innermost part of the stack begins, and which library that part is; whether there is no such
/// part and the plugin's code is ours.
fn place(stack: &[Frame], code: &HashMap<Frame, Code>) -> (String, bool) {
    // The C library is not at fault, and the kernel's way into a signal handler leads through it.
    let foreign = |frame: &&Frame| !is_file(frame, "libc.so") && !is_file(frame, "allocation_sweep");
    let in_plugin = stack.iter().position(|frame| is_file(frame, plugin::FILE_NAME));
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
    let output = cmd!(shell(), "addr2line --demangle --functions --exe {plugin} {offsets...}").capture()?;
    let lines: Vec<_> = output.lines().collect();
    let code = lines.chunks_exact(2).map(|pair| code(pair[0], pair[1]));
    Ok(frames.into_iter().cloned().zip(code).collect())
}

fn code(function: &str, file_and_line: &str) -> Code {
    if file_and_line.contains("/src/plugins/tls/") {
        // Without the parameters, which differ between versions.
        return (function.split('(').next().unwrap_or_default().into(), false);
    }
    let file = file_and_line.split(':').next().unwrap_or_default();
    (file.rfind("/src/").map_or(file, |start| &file[start + 1..]).into(), true)
}

/// The known places, without their reasons.
fn known() -> Result<BTreeSet<[String; 3]>> {
    let text = workspace::read(KNOWN)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let key = |line| {
        let [sweep, outcome, place, _reason] = columns(line).context(KNOWN)?;
        Ok([sweep, outcome, place].map(String::from))
    };
    lines.map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLUGIN: &str = "/p/tls/libqopensslbackend.so";

    fn place_of(stack: &str) -> (String, bool) {
        let ours = code("hmac", "/r/src/openssl/digest.rs:7");
        let qts = code("QSslContext::make(int)", "/qt/src/plugins/tls/openssl/x.cpp:1 (discriminator 2)");
        let code = [("0x1", ours), ("0x2", qts)];
        let code = code.into_iter().map(|(offset, code)| ((PLUGIN.into(), offset.into()), code));
        place(&frames(stack).unwrap(), &code.collect())
    }

    #[test]
    fn places_are_where_the_plugin_is_left() {
        let crash = "/t/allocation_sweep+0x9 /lib/libc.so.6+0x9";
        let crypto = "/lib/libcrypto.so.3+0x4 /lib/libssl.so.3+0x3";
        let place_is = |stack: &str, place: &str, is_ours| {
            assert_eq!(place_of(stack), (place.to_owned(), is_ours), "{stack}");
        };
        place_is(&format!("{crypto} {PLUGIN}+0x1 {PLUGIN}+0x2"), "libssl from src/openssl/digest.rs", false);
        place_is(&format!("{crash} {crypto} {PLUGIN}+0x2"), "libssl from QSslContext::make", false);
        place_is(&format!("{crash} {PLUGIN}+0x1 {PLUGIN}+0x2"), "src/openssl/digest.rs", true);
        place_is(&format!("{crash} {PLUGIN}+0x2 {PLUGIN}+0x1"), "QSslContext::make", false);
        place_is(crypto, "libssl", false);
        place_is("-", "nowhere", true);
    }

    #[test]
    fn rows_are_read() {
        let row = row("later\tonce\t7\tleak\tx\t/a/libx+y.so+0x1 /b+0x2\t-").unwrap();
        assert_eq!((row.outcome.as_str(), row.example.as_str()), ("leak", "once 7: x"));
        let frame = |library: &str, offset: &str| (library.to_owned(), offset.to_owned());
        assert_eq!(row.failed, [frame("/a/libx+y.so", "0x1"), frame("/b", "0x2")]);
        assert!(super::row("later\tonce\t7").is_err());
        assert!(frames("no-offset").is_err());
    }
}
