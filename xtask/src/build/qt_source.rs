// SPDX-License-Identifier: MIT OR Apache-2.0
//! The source of the installed qtbase.
//!
//! It is the source package that Debian's binary packages were built from, with Debian's patches, so that the plugin
//! built of it differs from the installed one in our changes only. apt fetches and verifies it with lists and folders
//! of its own below `target`: the machine's are read, never written. Sources of other versions come from Debian's
//! other suites in the same way, also where the archive lists the installed one but does not have its files.

use crate::system::apt::{self, Archives};
use crate::system::{Cmd, Environment, Outcome, Run, Shell, cmd, packages, shell, shell_in, workspace};
use anyhow::{Context, Result, ensure};
use itertools::Itertools;
use std::fs;
use std::path::{Path, PathBuf};

/// The source the user names, or else that of the installed qt6-base-dev, downloaded on first use. Where that cannot be
/// had, another source package of the same version of Qt takes its place.
pub fn find(environment: &Environment) -> Result<PathBuf> {
    let missing = match find_exact(environment) {
        Err(missing) if environment.qt_source.is_none() => missing,
        found => return found,
    };
    let Ok(folder) = of_version(qt_version(&installed()?)) else { return Err(missing) };
    eprintln!(
        "{missing:#}\nusing {}: the same version of Qt, but with the patches of that package",
        folder.display()
    );
    Ok(folder)
}

/// As [`find`], with the patches that the installed package has.
pub fn find_exact(environment: &Environment) -> Result<PathBuf> {
    if let Some(folder) = &environment.qt_source {
        return fs::canonicalize(folder).with_context(|| format!("--qt-source {}", folder.display()));
    }
    let version = installed()?;
    match folder_of(&version) {
        folder if folder.exists() => Ok(folder),
        _ => download(&Apt::of_machine()?, &version),
    }
}

/// The version of the source package that the installed qt6-base-dev was built from.
pub fn installed() -> Result<String> {
    packages::field("qt6-base-dev", "source:Version")
}

/// The source of a version that need not be the installed one, downloaded on first use from any of Debian's suites.
pub fn of_version(wanted: &str) -> Result<PathBuf> {
    let known = fs::read_dir(workspace::target("qt-source")).into_iter().flatten().flatten();
    let mut known = known.map(|entry| entry.path());
    if let Some(folder) = known.find(|folder| version(folder).is_ok_and(|version| version == wanted)) {
        return Ok(folder);
    }
    let apt = Apt::of_all_suites()?;
    let known = apt.command(shell(), "apt-cache").args(["showsrc", "--only-source", "qt6-base"]);
    let known = apt.run(known).with_context(|| unavailable(wanted))?;
    let sources = source_versions(&known, wanted).map(|version| download(&apt, version));
    sources.find_or_last(Result::is_ok).with_context(|| unavailable(wanted))?
}

/// Where the source of a version of the package is unpacked.
pub fn folder_of(version: &str) -> PathBuf {
    workspace::target("qt-source").join(version)
}

fn unavailable(version: &str) -> String {
    format!("no source of qt6-base {version}; with no network, use one of your own by --qt-source DIR")
}

/// The version of qtbase that `folder` says it holds.
pub fn version(folder: &Path) -> Result<String> {
    let text = workspace::read(folder.join(".cmake.conf"))?;
    let (_, rest) = text.split_once("QT_REPO_MODULE_VERSION \"").context("no version in .cmake.conf")?;
    Ok(rest.split('"').next().unwrap_or_default().into())
}

/// Returns the folder it is unpacked to.
fn download(apt: &Apt, version: &str) -> Result<PathBuf> {
    eprintln!("downloading the source of qt6-base {version}");
    let download_dir = apt.work_dir.join("download");
    fs::create_dir_all(&download_dir)?;
    let (here, source) = (shell_in(&download_dir), format!("qt6-base={version}"));
    let fetch = apt.command(&here, "apt-get").args(["source", "--download-only", "--only-source", &source]);
    apt.run(fetch).with_context(|| unavailable(version))?;

    // Unpacked under another name first, so that what is under the final name is complete.
    let unpacked = apt.work_dir.join("unpacked");
    workspace::remove(&unpacked)?;
    let dsc = download_dir.join(format!("qt6-base_{}.dsc", without_epoch(version)));
    cmd!(shell(), "dpkg-source --no-check --extract {dsc} {unpacked}").quietly()?;
    fs::rename(&unpacked, folder_of(version))?;
    Ok(folder_of(version))
}

/// apt with its own lists of sources, and its state below `work_dir`, where its sandbox user may have no access.
struct Apt {
    work_dir: PathBuf,
    /// Some archives may have no sources: only that the package is found in the end matters.
    update_errors: String,
}

const APT_OPTIONS: [&str; 4] = [
    "Dir::Etc::SourceList=/dev/null",
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
    "Acquire::Retries=3",
];

/// The folders in `work_dir`, by their options.
const APT_FOLDERS: [(&str, &str); 3] =
    [("Dir::Etc::SourceParts", "lists.d"), ("Dir::State", "state"), ("Dir::Cache", "cache")];

impl Apt {
    /// The sources of what the machine can install.
    fn of_machine() -> Result<Self> {
        Self::update("apt", apt::lists_of_sources()?)
    }

    /// The sources of all suites that may have a Qt 6 of interest, from the archive that the machine uses.
    fn of_all_suites() -> Result<Self> {
        let archive = Archives::of_machine()?.main;
        // The copy of an archive may be older than its index promises. Its signature is checked all the same.
        let options = format!("signed-by={KEYRING} check-valid-until=no");
        let line = |suite| format!("deb-src [{options}] {archive} {suite} main\n");
        Self::update("apt-all-suites", vec![("suites.list".into(), SUITES.map(line).concat())])
    }

    fn update(name: &str, lists: Vec<(String, String)>) -> Result<Self> {
        let work_dir = workspace::target("qt-source").join(name);
        for needed in ["lists.d", "state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(work_dir.join(needed))?;
        }
        for (name, text) in lists {
            fs::write(work_dir.join("lists.d").join(name), text)?;
        }
        let mut apt = Self { work_dir, update_errors: String::new() };
        apt.update_errors = apt.command(shell(), "apt-get").arg("update").outcome()?.stderr;
        Ok(apt)
    }

    /// What the command prints. If it fails, one line says why, in place of all of apt's and the command itself.
    fn run(&self, command: Cmd) -> Result<String> {
        let Outcome { status, stdout, stderr } = command.outcome()?;
        ensure!(status.success(), "{}", reason(&[&*self.update_errors, &stderr].concat()));
        Ok(stdout)
    }

    fn command<'a>(&self, shell: &'a Shell, program: &str) -> Cmd<'a> {
        let folders =
            APT_FOLDERS.map(|(name, path)| format!("{name}={}", self.work_dir.join(path).display()));
        let options = APT_OPTIONS.into_iter().map(String::from).chain(folders);
        shell.cmd(program).args(options.flat_map(|option| ["--option".into(), option]))
    }
}

/// From the oldest that has Qt 6 to the newest.
const SUITES: [&str; 4] = ["bookworm", "trixie", "forky", "sid"];

/// Of the package debian-archive-keyring.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Debian's versions of the source of Qt's version, as `apt-cache showsrc` lists them.
fn source_versions<'a>(stanzas: &'a str, wanted: &str) -> impl Iterator<Item = &'a str> {
    let versions = stanzas.lines().filter_map(|line| line.strip_prefix("Version: "));
    versions.filter(move |version| qt_version(version) == wanted)
}

/// Qt's part of a version of Debian's.
fn qt_version(version: &str) -> &str {
    without_epoch(version).split(['+', '-', '~']).next().unwrap_or_default()
}

/// The first of apt's lines that says why it fails: that it could not fetch something, or an error.
fn reason(errors: &str) -> &str {
    let says = |line: &&str| line.contains("Failed to fetch") || line.starts_with("E: ");
    let line = errors.lines().find(says).unwrap_or("apt-get gives no reason");
    line.trim_start_matches("W: ").trim_start_matches("E: ")
}

/// File names leave the epoch of a version out.
fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_reasons_are_found_in_what_apt_says() {
        let stanzas = ["6.11.2+dfsg-7", "4:6.4.2+dfsg-10", "6.11.2~rc-1"].map(|v| format!("Version: {v}\n"));
        let stanzas = stanzas.join("Package: q\n\n");
        let found = ["6.4.2", "6.11.2", "6.1"].map(|wanted| source_versions(&stanzas, wanted).collect_vec());
        assert_eq!(found, [vec!["4:6.4.2+dfsg-10"], vec!["6.11.2+dfsg-7", "6.11.2~rc-1"], vec![]]);
        let no_network =
            "W: x\nW: Failed to fetch http://h/d  Temporary failure resolving 'h'\nE: no package\n";
        let found = [no_network, "W: x\nE: no package\n"].map(reason);
        assert_eq!(found, ["Failed to fetch http://h/d  Temporary failure resolving 'h'", "no package"]);
        assert_eq!(["4:6.4.2+dfsg-10", "6.4.2-1"].map(without_epoch), ["6.4.2+dfsg-10", "6.4.2-1"]);
    }
}
