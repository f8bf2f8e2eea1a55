// SPDX-License-Identifier: MIT OR Apache-2.0
//! The source of the installed qtbase.
//!
//! It is the source package that Debian's binary packages were built from, with Debian's patches, so that the plugin
//! built of it differs from the installed one in nothing that we did not change. apt fetches and verifies it with
//! lists and folders of our own: the machine's are read, never written. Sources of other versions come from Debian's
//! other suites in the same way.

use crate::system::archives::Archives;
use crate::system::packages;
use crate::system::process::{capture, command};
use crate::system::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The source the user names, or else that of the installed qt6-base-dev, downloaded on first use.
pub fn find(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = given {
        return fs::canonicalize(folder).with_context(|| format!("--qt-source {}", folder.display()));
    }
    let version = packages::field("qt6-base-dev", "source:Version")?;
    let folder = workspace::target("qt-source").join(&version);
    if !folder.exists() {
        let apt = Apt::of_machine()?;
        download(&apt, &version, &folder).with_context(|| unavailable(&version))?;
    }
    Ok(folder)
}

/// The source of a version that need not be the installed one, downloaded on first use from any of Debian's suites.
pub fn of_version(wanted: &str) -> Result<PathBuf> {
    let known = fs::read_dir(workspace::target("qt-source")).into_iter().flatten().flatten();
    let mut known = known.map(|entry| entry.path());
    if let Some(folder) = known.find(|folder| version(folder).is_ok_and(|version| version == wanted)) {
        return Ok(folder);
    }
    let apt = Apt::of_all_suites()?;
    let known = capture(apt.command("apt-cache").args(["showsrc", "--only-source", "qt6-base"]))?;
    let version = source_version(&known, wanted).with_context(|| unavailable(wanted))?;
    let folder = workspace::target("qt-source").join(version);
    download(&apt, version, &folder).with_context(|| unavailable(version))?;
    Ok(folder)
}

fn unavailable(version: &str) -> String {
    format!("no source of qt6-base {version}; download it yourself and use --qt-source DIR")
}

/// The version of qtbase that `folder` says it holds.
pub fn version(folder: &Path) -> Result<String> {
    let file = folder.join(".cmake.conf");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let (_, rest) = text.split_once("QT_REPO_MODULE_VERSION \"").context("no version in .cmake.conf")?;
    Ok(rest.split('"').next().unwrap_or_default().into())
}

fn download(apt: &Apt, version: &str, folder: &Path) -> Result<()> {
    eprintln!("downloading the source of qt6-base {version}");
    let download_dir = apt.work_dir.join("download");
    fs::create_dir_all(&download_dir)?;
    let source = format!("qt6-base={version}");
    let mut fetch = apt.command("apt-get");
    fetch.current_dir(&download_dir).args(["source", "--download-only", "--only-source", &source]);
    capture(&mut fetch).with_context(|| apt.update_errors.clone())?;

    // Unpacked under another name first, so that what is under the final name is complete.
    let unpacked = apt.work_dir.join("unpacked");
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked)?;
    }
    let dsc = download_dir.join(format!("qt6-base_{}.dsc", without_epoch(version)));
    capture(command("dpkg-source").args(["--no-check", "--extract"]).arg(dsc).arg(&unpacked))?;
    fs::rename(&unpacked, folder)?;
    Ok(())
}

/// apt with lists of sources of our own, and its state below `work_dir`, where its sandbox user may have no access.
struct Apt {
    work_dir: PathBuf,
    settings: &'static [&'static str],
    /// Some archives may have no sources: only that the package is found in the end matters.
    update_errors: String,
}

impl Apt {
    /// The sources of what the machine can install.
    fn of_machine() -> Result<Self> {
        let work_dir = workspace::target("qt-source/apt");
        fs::create_dir_all(work_dir.join("lists.d"))?;
        write_source_lists(Path::new("/etc/apt"), &work_dir.join("lists.d"))?;
        Self::update(work_dir, &[])
    }

    /// The sources of all suites that may have a Qt 6 of interest, from the archive that the machine uses.
    fn of_all_suites() -> Result<Self> {
        let work_dir = workspace::target("qt-source/apt-all-suites");
        fs::create_dir_all(work_dir.join("lists.d"))?;
        let archive = Archives::of_machine()?.main;
        let list: String = SUITES
            .iter()
            .map(|suite| format!("deb-src [signed-by={KEYRING}] {archive} {suite} main\n"))
            .collect();
        fs::write(work_dir.join("lists.d/suites.list"), list)?;
        // An index may be older than it promises, which is how an archive that is a copy often is. Its signature is
        // checked all the same.
        Self::update(work_dir, &["Acquire::Check-Valid-Until=false"])
    }

    fn update(work_dir: PathBuf, settings: &'static [&'static str]) -> Result<Self> {
        for needed in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(work_dir.join(needed))?;
        }
        let mut apt = Self { work_dir, settings, update_errors: String::new() };
        let update = apt.command("apt-get").arg("update").output()?;
        apt.update_errors = String::from_utf8_lossy(&update.stderr).into_owned();
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let option = |name: &str, path: &str| format!("{name}={}", self.work_dir.join(path).display());
        let mut command = command(program);
        let own = [
            option("Dir::Etc::SourceParts", "lists.d"),
            option("Dir::State", "state"),
            option("Dir::Cache", "cache"),
            "Dir::Etc::SourceList=/dev/null".into(),
            "APT::Sandbox::User=root".into(),
            "Acquire::Languages=none".into(),
            "Acquire::Retries=3".into(),
        ];
        for setting in own.into_iter().chain(self.settings.iter().map(|setting| (*setting).into())) {
            command.arg("--option").arg(setting);
        }
        command
    }
}

/// From the oldest that has Qt 6 to the newest.
const SUITES: [&str; 4] = ["bookworm", "trixie", "forky", "sid"];

/// Of the package debian-archive-keyring.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Debian's version of the source of Qt's version, as `apt-cache showsrc` lists them.
fn source_version<'a>(stanzas: &'a str, qt_version: &str) -> Option<&'a str> {
    let mut versions = stanzas.lines().filter_map(|line| line.strip_prefix("Version: "));
    versions.find(|version| {
        without_epoch(version).strip_prefix(qt_version).is_some_and(|rest| rest.starts_with(['+', '-', '~']))
    })
}

/// Writes the lists of packages in `apt_dir` anew as lists of sources: same archives, same keys.
fn write_source_lists(apt_dir: &Path, lists_dir: &Path) -> Result<()> {
    let parts = fs::read_dir(apt_dir.join("sources.list.d")).into_iter().flatten().flatten();
    let mut count = 0;
    for file in parts.map(|part| part.path()).chain([apt_dir.join("sources.list")]) {
        let convert = match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => source_lines,
            Some("sources") => source_stanzas,
            _ => continue,
        };
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let name = file.file_name().context("a list has a name")?;
        fs::write(lists_dir.join(name), convert(&text))?;
        count += 1;
    }
    if count == 0 {
        bail!("no package lists in {}", apt_dir.display());
    }
    Ok(())
}

/// The one-line format: `deb [options] uri suite component...`.
fn source_lines(list: &str) -> String {
    let packages = list.lines().filter_map(|line| line.trim_start().strip_prefix("deb"));
    packages.filter(|rest| rest.starts_with([' ', '\t'])).map(|rest| format!("deb-src{rest}\n")).collect()
}

/// The deb822 format: stanzas with a field `Types: deb`.
fn source_stanzas(list: &str) -> String {
    let is_types = |line: &str| line.to_ascii_lowercase().starts_with("types:");
    list.lines()
        .map(|line| if is_types(line) { "Types: deb-src\n".into() } else { format!("{line}\n") })
        .collect()
}

/// File names leave the epoch of a version out.
fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_lines_become_source_lines() {
        let list = "# deb x y z\ndeb [arch=amd64 signed-by=/k] http://h/debian bookworm main\ndeb-src http://h/d s m\n";
        assert_eq!(source_lines(list), "deb-src [arch=amd64 signed-by=/k] http://h/debian bookworm main\n");
    }

    #[test]
    fn stanzas_keep_all_but_their_type() {
        let list = "Types: deb\nURIs: http://h/debian\nSuites: s\nComponents: main\nSigned-By: /k\n";
        assert_eq!(source_stanzas(list), list.replace("Types: deb", "Types: deb-src"));
    }

    #[test]
    fn versions_of_qt_are_found_among_debians() {
        let stanzas = "Package: q\nVersion: 6.11.2+dfsg-5\n\nPackage: q\nVersion: 4:6.4.2+dfsg-10\n";
        assert_eq!(source_version(stanzas, "6.4.2"), Some("4:6.4.2+dfsg-10"));
        assert_eq!(source_version(stanzas, "6.11.2"), Some("6.11.2+dfsg-5"));
        assert_eq!(source_version(stanzas, "6.1"), None);
    }

    #[test]
    fn file_names_have_no_epoch() {
        assert_eq!(without_epoch("4:6.4.2+dfsg-10"), "6.4.2+dfsg-10");
        assert_eq!(without_epoch("6.4.2+dfsg-10"), "6.4.2+dfsg-10");
    }
}
