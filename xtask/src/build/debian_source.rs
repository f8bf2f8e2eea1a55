// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources of Debian's packages.
//!
//! apt fetches and verifies them with lists and folders of its own below `target`: the machine's are read, never
//! written.

use crate::system::apt::{self, Archives};
use crate::system::{Cmd, Outcome, Run, Shell, cmd, shell, shell_in, workspace};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// apt with its own lists of sources, and its state below `work_dir`, where its sandbox user may have no access.
pub struct Apt {
    work_dir: PathBuf,
    /// Some archives may have no sources: only that the package is found in the end matters.
    update_errors: String,
}

const OPTIONS: [&str; 4] = [
    "Dir::Etc::SourceList=/dev/null",
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
    "Acquire::Retries=3",
];

/// The folders in `work_dir`, by their options.
const FOLDERS: [(&str, &str); 3] =
    [("Dir::Etc::SourceParts", "lists.d"), ("Dir::State", "state"), ("Dir::Cache", "cache")];

/// Of the package debian-archive-keyring.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

impl Apt {
    /// The sources of what the machine can install.
    pub fn of_machine(work_dir: PathBuf) -> Result<Self> {
        Self::update(work_dir, apt::lists_of_sources()?)
    }

    /// The sources of these suites of Debian, from the archive that the machine uses.
    pub fn of_suites(suites: &[&str], work_dir: PathBuf) -> Result<Self> {
        let archive = Archives::of_machine()?.main;
        // The copy of an archive may be older than its index promises. Its signature is checked all the same.
        let options = format!("signed-by={KEYRING} check-valid-until=no");
        let line = |suite| format!("deb-src [{options}] {archive} {suite} main\n");
        Self::update(work_dir, vec![("suites.list".into(), suites.iter().map(line).collect())])
    }

    fn update(work_dir: PathBuf, lists: Vec<(String, String)>) -> Result<Self> {
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

    /// What `apt-cache showsrc` says of a source package.
    pub fn known(&self, package: &str) -> Result<String> {
        self.run(self.command(shell(), "apt-cache").args(["showsrc", "--only-source", package]))
    }

    /// Unpacks this version of the source package to `folder`.
    pub fn download(&self, package: &str, version: &str, folder: &Path) -> Result<()> {
        eprintln!("downloading the source of {package} {version}");
        let download_dir = self.work_dir.join("download");
        fs::create_dir_all(&download_dir)?;
        let (here, source) = (shell_in(&download_dir), format!("{package}={version}"));
        let fetch =
            self.command(&here, "apt-get").args(["source", "--download-only", "--only-source", &source]);
        self.run(fetch)?;

        // Unpacked under another name first, so that what is under the final name is complete.
        let unpacked = self.work_dir.join("unpacked");
        workspace::remove(&unpacked)?;
        let dsc = download_dir.join(format!("{package}_{}.dsc", without_epoch(version)));
        cmd!(shell(), "dpkg-source --no-check --extract {dsc} {unpacked}").quietly()?;
        Ok(fs::rename(&unpacked, folder)?)
    }

    /// What the command prints. If it fails, one line says why, in place of all of apt's and the command itself.
    fn run(&self, command: Cmd) -> Result<String> {
        let Outcome { status, stdout, stderr } = command.outcome()?;
        ensure!(status.success(), "{}", reason(&[&*self.update_errors, &stderr].concat()));
        Ok(stdout)
    }

    fn command<'a>(&self, shell: &'a Shell, program: &str) -> Cmd<'a> {
        let folders = FOLDERS.map(|(name, path)| format!("{name}={}", self.work_dir.join(path).display()));
        let options = OPTIONS.into_iter().map(String::from).chain(folders);
        shell.cmd(program).args(options.flat_map(|option| ["--option".into(), option]))
    }
}

/// The first of apt's lines that says why it fails: that it could not fetch something, or an error.
fn reason(errors: &str) -> &str {
    let says = |line: &&str| line.contains("Failed to fetch") || line.starts_with("E: ");
    let line = errors.lines().find(says).unwrap_or("apt-get gives no reason");
    line.trim_start_matches("W: ").trim_start_matches("E: ")
}

/// File names leave the epoch of a version out.
pub fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_in_what_apt_says() {
        let no_network =
            "W: x\nW: Failed to fetch http://h/d  Temporary failure resolving 'h'\nE: no package\n";
        let found = [no_network, "W: x\nE: no package\n"].map(reason);
        assert_eq!(found, ["Failed to fetch http://h/d  Temporary failure resolving 'h'", "no package"]);
        assert_eq!(["4:6.4.2+dfsg-10", "6.4.2-1"].map(without_epoch), ["6.4.2+dfsg-10", "6.4.2-1"]);
    }
}
