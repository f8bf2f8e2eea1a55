// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that uses Qt, run on one plugin and no other.
//!
//! `QT_PLUGIN_PATH` only puts a folder before the others: the installed plugin is loaded too, and serves if ours does
//! not. So each program gets a folder with a `qt.conf` that leaves our folder the only one, and the dynamic loader's
//! own log must say that this plugin, and no other of its name, was loaded.

use crate::build::{self, Flavour, plugin};
use crate::system::{Cmd, Outcome, cmd, shell_in, workspace};
use anyhow::{Context, Result, bail};
use derive_more::Display;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct QtProgram<'a> {
    pub name: &'a str,
    pub folder: &'a Path,
    pub flavour: Flavour,
}

/// What a QtTest program prints at its end.
#[derive(Clone, Copy, Debug, Display, PartialEq)]
#[display("{passed} passed, {failed} failed, {skipped} skipped")]
pub struct Totals {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl<'a> QtProgram<'a> {
    /// A program that runs in the root of the repository.
    pub fn new(name: &'a str, flavour: Flavour) -> Self {
        Self { name, folder: workspace::root(), flavour }
    }

    /// Runs it and returns its stdout. Fails if it does, or if it or a process that it starts loads another plugin.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        self.run_under(&[], arguments)
    }

    /// As [`QtProgram::run`], by way of `wrapper`, a program and its arguments.
    pub fn run_under(&self, wrapper: &[String], arguments: &[&str]) -> Result<String> {
        let Outcome { status, stdout, stderr } = self.outcome_on_plugin(wrapper, arguments)?;
        if !status.success() {
            eprint!("{stdout}{stderr}");
            bail!("{} on the {} plugin: {status}", self.name, self.flavour.name());
        }
        Ok(stdout)
    }

    /// As [`QtProgram::run`], but the program itself may fail.
    pub fn run_to_end(&self, arguments: &[&str]) -> Result<String> {
        Ok(self.outcome_on_plugin(&[], arguments)?.stdout)
    }

    /// Fails if it, or a process that it starts, loads another plugin.
    fn outcome_on_plugin(&self, wrapper: &[String], arguments: &[&str]) -> Result<Outcome> {
        let (outcome, loaded) = self.outcome(wrapper, arguments)?;
        let checked = self.require_plugin_in(&loaded);
        checked.inspect_err(|_| eprint!("{}{}", outcome.stdout, outcome.stderr))?;
        Ok(outcome)
    }

    /// Fails if the command has loaded another plugin, or has not ended.
    pub fn require_plugin(&self) -> Result<()> {
        self.require_plugin_in(&self.loaded()?)
    }

    fn require_plugin_in(&self, loaded: &BTreeSet<PathBuf>) -> Result<()> {
        let plugin = self.flavour.plugin_file();
        if !loaded.iter().eq([&plugin]) {
            bail!("{} must be loaded alone; loaded: {loaded:?}", plugin.display());
        }
        Ok(())
    }

    /// Runs it to the end, whatever that is. Also returns the plugins of this name that were loaded.
    pub fn outcome(&self, wrapper: &[String], arguments: &[&str]) -> Result<(Outcome, BTreeSet<PathBuf>)> {
        let outcome = self.command(wrapper, arguments)?.output()?.into();
        Ok((outcome, self.loaded()?))
    }

    /// What runs it, by way of `wrapper`. Afterwards [`QtProgram::require_plugin`] checks what it has loaded.
    pub fn command(&self, wrapper: &[String], arguments: &[&str]) -> Result<Command> {
        let program = self.place(&self.run_dir())?;
        let logs = self.loader_logs();
        fs::create_dir(&logs)?;
        let shell = shell_in(self.folder);
        let command = cmd!(shell, "env {wrapper...} {program} {arguments...}");
        let command = command.env("LD_DEBUG", "files").env("LD_DEBUG_OUTPUT", logs.join("log"));
        Ok(without_settings(command).into())
    }

    fn loader_logs(&self) -> PathBuf {
        self.run_dir().join("loader-logs")
    }

    fn loaded(&self) -> Result<BTreeSet<PathBuf>> {
        let logs = fs::read_dir(self.loader_logs())?;
        let logs = logs.map(|log| Ok(fs::read(log?.path())?)).collect::<Result<Vec<_>>>()?;
        Ok(loaded(&logs))
    }

    /// Makes the program ready to be run on its plugin by others, several times at once, and returns its file.
    pub fn place_alone(&self) -> Result<PathBuf> {
        self.place(&self.run_dir())
    }

    fn run_dir(&self) -> PathBuf {
        workspace::target("qt-tests").join(self.flavour.name()).join(self.name)
    }

    /// Copies the program to an empty folder, beside a `qt.conf` for its plugin.
    fn place(&self, run_dir: &Path) -> Result<PathBuf> {
        workspace::fresh(run_dir)?;
        let plugins = self.flavour.plugin_dir();
        fs::write(run_dir.join("qt.conf"), format!("[Paths]\nPlugins = \"{}\"\n", plugins.display()))?;
        let program = run_dir.join(self.name);
        fs::copy(build::program(self.name), &program)?;
        Ok(program)
    }
}

/// Keeps the user's settings for Qt, for its tests and for us from a command.
pub fn without_settings(command: Cmd) -> Cmd {
    let prefixes = ["QT", "QDTLS", "SSL_CERT", "OPENSSL_"];
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    names.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))).fold(command, Cmd::env_remove)
}

/// The plugins that the loader's logs name, one for each process.
fn loaded(loader_logs: &[Vec<u8>]) -> BTreeSet<PathBuf> {
    let mut loaded = BTreeSet::new();
    for log in loader_logs {
        let log = String::from_utf8_lossy(log);
        let initialised =
            log.lines().filter_map(|line| Some(PathBuf::from(line.split_once("calling init: ")?.1)));
        loaded.extend(initialised.filter(|path| path.ends_with(plugin::FILE_NAME)));
    }
    loaded
}

impl Totals {
    /// Reads `Totals: 62 passed, 0 failed, 0 skipped, 0 blacklisted, 2157ms`.
    pub fn of(output: &str) -> Result<Self> {
        let line = output.lines().find_map(|line| line.strip_prefix("Totals: ")).context("no totals")?;
        let number_of = |what| {
            let number = line.split(", ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
            number.with_context(|| format!("not one number {what} in '{line}'"))
        };
        let (passed, failed, skipped) = (number_of("passed")?, number_of("failed")?, number_of("skipped")?);
        Ok(Self { passed, failed, skipped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read() {
        let output = "PASS   : x\nTotals: 62 passed, 1 failed, 2 skipped, 0 blacklisted, 2157ms\n***\n";
        assert_eq!(Totals::of(output).unwrap(), Totals { passed: 62, failed: 1, skipped: 2 });
        assert!(Totals::of("PASS   : x\n").is_err());
    }

    #[test]
    fn plugins_of_all_processes_are_known() {
        let log = |path: &&str| format!("  42:\tcalling init: {path}\n");
        let (ours, installed) = ("/ours/tls/libqopensslbackend.so", "/qt/tls/libqopensslbackend.so");
        let libc = "/lib/libc.so.6";
        // The libraries of each process.
        for (processes, expected) in [
            (&[&[ours][..], &[libc]][..], &[ours][..]),
            (&[&[ours], &[ours, libc]], &[ours]),
            (&[&[installed]], &[installed]),
            (&[&[libc]], &[]),
            (&[&[ours], &[installed]], &[ours, installed]),
            (&[&[ours, installed]], &[ours, installed]),
        ] {
            let logs = processes.iter().map(|paths| paths.iter().map(log).collect::<String>().into());
            let loaded = loaded(&logs.collect::<Vec<_>>());
            assert!(loaded.iter().eq(expected.iter().map(Path::new)), "{processes:?}: {loaded:?}");
        }
    }
}
