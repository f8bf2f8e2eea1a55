// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running a QtTest program on one plugin, and being sure that it was that one.
//!
//! `QT_PLUGIN_PATH` only puts a folder before the others: the installed plugin is loaded too, and serves if ours does
//! not. So each program gets a folder of its own with a `qt.conf` that leaves our folder the only one, and the dynamic
//! loader's own log must say that this plugin, and no other of its name, was loaded.

use crate::build::plugin::{self, Flavour};
use crate::system::process::{self, command};
use crate::system::workspace;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A QtTest program, and the plugin it runs on.
pub struct QtProgram<'a> {
    pub name: &'a str,
    pub folder: &'a Path,
    pub flavour: Flavour,
}

/// What a QtTest program says at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Totals {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl QtProgram<'_> {
    /// Runs it by way of `wrapper`, a program and its arguments that may be empty. Fails if any test did, or if
    /// another plugin was loaded.
    pub fn run(&self, wrapper: &[&str]) -> Result<Totals> {
        let output = self.execute(wrapper, &[])?;
        totals(&output).with_context(|| format!("{} printed no totals", self.name))
    }

    /// Runs it by way of `wrapper` with arguments of its own. Fails if it does, or if it or a process that it starts
    /// loaded another plugin.
    pub fn run_with(&self, wrapper: &[&str], arguments: &[&str]) -> Result<()> {
        self.execute(wrapper, arguments).map(|_| ())
    }

    /// As [`QtProgram::run_with`], and returns what it prints.
    pub fn output(&self, wrapper: &[&str], arguments: &[&str]) -> Result<String> {
        self.execute(wrapper, arguments)
    }

    fn execute(&self, wrapper: &[&str], arguments: &[&str]) -> Result<String> {
        let run_dir = workspace::target("qt-tests").join(self.flavour.name()).join(self.name);
        let program = self.place(&run_dir)?;
        let logs = run_dir.join("loader-logs");
        fs::create_dir(&logs)?;
        let mut words = wrapper.iter().map(|word| word.into()).chain([program]);
        let mut command = clean_command(words.next().context("no program")?);
        command.args(words).args(arguments).current_dir(self.folder);
        command.env("LD_DEBUG", "files").env("LD_DEBUG_OUTPUT", logs.join("log"));

        let output = command.output().with_context(|| format!("cannot run {}", process::name(&command)))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            eprint!("{text}{}", String::from_utf8_lossy(&output.stderr));
            bail!("{} on the {} plugin: {}", self.name, self.flavour.name(), output.status);
        }
        let logs: Vec<_> =
            fs::read_dir(&logs)?.map(|log| Ok(fs::read(log?.path())?)).collect::<Result<_>>()?;
        check_loaded(&logs, &self.flavour.plugin_file())?;
        Ok(text.into_owned())
    }

    /// Copies the program to an empty folder of its own, beside a `qt.conf` for its plugin.
    fn place(&self, run_dir: &Path) -> Result<PathBuf> {
        if run_dir.exists() {
            fs::remove_dir_all(run_dir)?;
        }
        fs::create_dir_all(run_dir)?;
        let plugins = self.flavour.plugin_dir();
        fs::write(run_dir.join("qt.conf"), format!("[Paths]\nPlugins = \"{}\"\n", plugins.display()))?;
        let program = run_dir.join(self.name);
        fs::copy(workspace::target("qt-tests-build/bin").join(self.name), &program)?;
        Ok(program)
    }
}

/// A command that the user's settings for Qt, for its tests or for us do not reach.
pub fn clean_command(program: PathBuf) -> Command {
    let mut command = command(program);
    for (name, _) in std::env::vars_os() {
        if ["QT", "QDTLS", "SSL_CERT", "OPENSSL_"]
            .iter()
            .any(|prefix| name.to_string_lossy().starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Fails unless the loader's logs, one for each process, name `plugin` and no other plugin of that name.
fn check_loaded(loader_logs: &[Vec<u8>], plugin: &Path) -> Result<()> {
    let mut loaded = BTreeSet::new();
    for log in loader_logs {
        let log = String::from_utf8_lossy(log);
        let initialised = log.lines().filter_map(|line| line.split_once("calling init: "));
        let plugins = initialised.map(|(_, path)| PathBuf::from(path));
        loaded.extend(plugins.filter(|path| path.ends_with(plugin::FILE_NAME)));
    }
    if !loaded.iter().eq([plugin]) {
        bail!("{} was to be loaded, and it alone, but what was loaded is {loaded:?}", plugin.display());
    }
    Ok(())
}

/// Reads `Totals: 62 passed, 0 failed, 0 skipped, 0 blacklisted, 2157ms`.
pub fn totals(output: &str) -> Option<Totals> {
    let line = output.lines().find_map(|line| line.strip_prefix("Totals: "))?;
    let number_of = |what| line.split(", ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
    Some(Totals {
        passed: number_of("passed")?,
        failed: number_of("failed")?,
        skipped: number_of("skipped")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read() {
        let output = "PASS   : x\nTotals: 62 passed, 1 failed, 2 skipped, 0 blacklisted, 2157ms\n***\n";
        assert_eq!(totals(output), Some(Totals { passed: 62, failed: 1, skipped: 2 }));
        assert_eq!(totals("PASS   : x\n"), None);
    }

    #[test]
    fn the_wrong_plugin_is_noticed() {
        let ours = Path::new("/ours/tls/libqopensslbackend.so");
        let log =
            |path: &str| format!("  42:\tcalling init: {path}/tls/libqopensslbackend.so\n").into_bytes();
        let other = b"  42:\tcalling init: /lib/libc.so.6\n".to_vec();

        assert!(check_loaded(&[log("/ours"), other.clone()], ours).is_ok());
        assert!(check_loaded(&[log("/ours"), log("/ours")], ours).is_ok());
        assert!(check_loaded(&[log("/installed")], ours).is_err());
        assert!(check_loaded(&[log("/ours"), log("/installed")], ours).is_err());
        assert!(check_loaded(&[[log("/ours"), log("/installed")].concat()], ours).is_err());
        assert!(check_loaded(&[other], ours).is_err());
    }
}
