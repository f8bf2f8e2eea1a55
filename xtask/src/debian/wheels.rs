// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask wheels [suite...]`: the official binaries of Qt's minor versions, most of which no suite of Debian has.
//!
//! PySide6's wheels bring them along, without headers. So a plugin that is built for one Qt serves another here: that
//! shows whether the private interfaces fit at run time, and does not show that the plugin compiles for that Qt.

use crate::build::{self, Flavour, plugin, qt_source};
use crate::debian::chroot::Chroot;
use crate::system::{Cmd, Environment, Run, cmd, packages, pip, shell, shell_in, workspace};
use crate::test::autotests::{self, AUTOTESTS};
use crate::test::hardening;
use crate::test::qt_program::without_settings;
use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

const PACKAGE: &str = "PySide6_Essentials";

/// Its versions, one for each minor version of Qt, and that of the oldest Qt whose private classes have the same size:
/// in 6.12 QSslConfigurationPrivate has 352 bytes, before 320. A plugin for an older Qt makes it too small.
const WHEELS: [(&str, u32); 8] = [
    ("6.5.3", 4),
    ("6.6.3", 4),
    ("6.7.3", 4),
    ("6.8.3", 4),
    ("6.9.3", 4),
    ("6.10.3", 4),
    ("6.11.3", 4),
    ("6.12.0", 12),
];

/// Independent of the machine's Python: one that all of them support.
#[rustfmt::skip]
const OPTIONS: [&str; 8] = [
    "--only-binary", ":all:", "--python-version", "3.11",
    "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_34_x86_64",
];

/// Suites of Debian whose rustc is new enough.
pub const SUITES: [&str; 2] = ["trixie", "forky"];

/// Exported as public by Qt 6.4, and as private by some of the later versions. Without a version that they ask for,
/// programs and plugins find either.
const MOVED: [&str; 5] = [
    "_ZN11QRingBuffer4chopEx",
    "_ZN11QRingBuffer4freeEx",
    "_ZN11QRingBuffer7reserveEx",
    "_ZN16QNetworkDatagram7destroyEP23QNetworkDatagramPrivate",
    "_ZN22QSslCertificatePrivate13isBlacklistedERK15QSslCertificate",
];

const HARDENING: &str = "tst_hardening";
const PROGRAMS: [&str; 3] = [AUTOTESTS[0], AUTOTESTS[1], HARDENING];

/// A plugin that serves any Qt is not what this case is about.
const NOT_RUN: &str = "F15_";

const HEADINGS: [&str; 5] = ["Qt", "built for", "Qt's autotests, ours", "stock", "hardening"];

/// The cells below [`HEADINGS`]; a dash where the trial was not reached, or the plugin does not fit.
type Row = [String; HEADINGS.len()];

/// With the plugin of the installed Qt, or those of the suites: prints a table of the wheels of that minor version and
/// newer ones, and fails unless each row is good.
pub fn run(suites: &[String], environment: &Environment) -> Result<()> {
    if suites.is_empty() {
        return run_here(environment);
    }
    packages::ensure(packages::WHEELS, environment)?;
    install()?;
    for suite in suites {
        let needed = [&["ca-certificates", "cargo"], packages::PLUGIN, packages::WHEELS].concat();
        let chroot = Chroot::with(&needed, suite, environment)?;
        // Links, for two gigabytes.
        let (wheels, target) = (folder(), &chroot.target);
        cmd!(shell(), "cp --archive --link --no-clobber {wheels} {target}").quietly()?;
        println!("{}", chroot.command("cargo").args(["xtask", "wheels", "--no-install"]).show()?);
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace::target("wheels")
}

fn install() -> Result<()> {
    WHEELS.into_iter().try_for_each(|(version, _)| {
        let package = format!("{PACKAGE}=={version}");
        pip::install(&[package], &OPTIONS, &folder().join(version))
    })
}

fn run_here(environment: &Environment) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::WHEELS].concat(), environment)?;
    install()?;
    let qt_source = qt_source::find(environment)?;
    let built_for = qt_source::version(&qt_source)?;
    plugin::build(Flavour::ANY_QT, &qt_source)?;
    build::some_programs(&qt_source, &PROGRAMS)?;
    let newer = WHEELS.into_iter().filter(|(version, _)| minor(version) >= minor(&built_for));
    let trials: Vec<_> = newer
        .map(|(version, since)| Trial { version, since, built_for: &built_for, qt_source: &qt_source })
        .collect();
    // The tests mostly wait.
    let outcomes: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = trials.iter().map(|trial| scope.spawn(|| trial.row())).collect();
        running.into_iter().map(|row| row.join().expect("a trial does not panic")).collect()
    });
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(HEADINGS);
    let mut failures = Vec::new();
    for (Trial { version, .. }, (row, result)) in trials.iter().zip(outcomes) {
        if let Err(error) = result {
            eprintln!("{version}: {error:#}");
            failures.push(*version);
        }
        table.add_row(row);
    }
    println!("{table}");
    ensure!(!trials.is_empty(), "no wheel has Qt {built_for} or newer");
    ensure!(failures.is_empty(), "not right: {}", failures.join(", "));
    Ok(())
}

/// The second number of a version.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// What was built for one Qt, on that of a wheel.
struct Trial<'a> {
    version: &'static str,
    since: u32,
    built_for: &'a str,
    qt_source: &'a Path,
}

impl Trial<'_> {
    fn row(&self) -> (Row, Result<()>) {
        let mut row = HEADINGS.map(|_| "-".to_owned());
        let result = self.fill(&mut row);
        (row, result)
    }

    /// Fills the row as it goes.
    fn fill(&self, row: &mut Row) -> Result<()> {
        let [qt, built_for, on_ours, on_stock, hardening] = row;
        [*qt, *built_for] = [self.version, self.built_for].map(String::from);
        let stock = self.place("stock", &self.qt("plugins"))?;
        *on_stock = self.autotests(&stock, true).context("the wheel's own plugin")?.to_string();
        if minor(self.built_for) < Some(self.since) {
            eprintln!(
                "{}: private classes have another size: not for a plugin built for Qt {built_for}",
                self.version
            );
            return Ok(());
        }

        let plugins = self.run_dir().join("plugins");
        workspace::fresh(&plugins.join("tls"))?;
        self.copy(&Flavour::ANY_QT.plugin_file(), &plugins.join("tls"))?;
        let ours = self.place("ours", &plugins)?;
        *on_ours = self.autotests(&ours, false).context("our plugin")?.to_string();
        ensure!(on_ours == on_stock, "Qt's autotests: {on_ours} on ours, {on_stock} on stock");
        *hardening = self.hardening(&ours)?.to_string();
        Ok(())
    }

    fn run_dir(&self) -> PathBuf {
        workspace::target("wheels-run").join(self.version)
    }

    /// A folder of the wheel's Qt.
    fn qt(&self, name: &str) -> PathBuf {
        folder().join(self.version).join("PySide6/Qt").join(name)
    }

    /// Copies the programs to a folder, beside a `qt.conf` for these plugins and no others.
    fn place(&self, name: &str, plugins: &Path) -> Result<PathBuf> {
        let folder = self.run_dir().join(name);
        workspace::fresh(&folder)?;
        fs::write(folder.join("qt.conf"), format!("[Paths]\nPlugins = \"{}\"\n", plugins.display()))?;
        PROGRAMS.into_iter().try_for_each(|program| self.copy(&build::program(program), &folder))?;
        Ok(folder)
    }

    /// Copies what was built to a folder, and makes it fit newer versions.
    fn copy(&self, file: &Path, folder: &Path) -> Result<()> {
        let copy = folder.join(file.file_name().context("a file")?);
        fs::copy(file, &copy)?;
        if minor(self.built_for) == Some(4) {
            let options = MOVED.into_iter().flat_map(|name| ["--clear-symbol-version", name]);
            cmd!(shell(), "patchelf {options...} {copy}").quietly()?;
        }
        Ok(())
    }

    /// Returns how many passed of both together.
    fn autotests(&self, programs: &Path, is_stock: bool) -> Result<u32> {
        let passed_in = |name: &'static str| {
            let here = shell_in(&autotests::folder(self.qt_source, name));
            let test = self.command(here.cmd(programs.join(name)));
            Ok(autotests::run_elsewhere(test, Some(self.version), is_stock).context(name)?.passed)
        };
        AUTOTESTS.into_iter().map(passed_in).sum()
    }

    /// Returns how many cases there are; all must be right.
    fn hardening(&self, programs: &Path) -> Result<u32> {
        let outcomes = self.run_dir().join("outcomes.tsv");
        let program = programs.join(HARDENING);
        self.command(cmd!(shell(), "{program} --outcomes {outcomes} {NOT_RUN}")).quietly()?;
        hardening::check_file(&outcomes)
    }

    /// A command on the wheel's Qt.
    fn command<'a>(&self, command: Cmd<'a>) -> Cmd<'a> {
        without_settings(command).env("LD_LIBRARY_PATH", self.qt("lib"))
    }
}
