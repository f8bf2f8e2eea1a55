// SPDX-License-Identifier: MIT OR Apache-2.0
//! The source of the installed qtbase.
//!
//! It is the source package that Debian's binary packages were built from, with Debian's patches, so that the plugin
//! built of it differs from the installed one in our changes only. Sources of other versions come from Debian's other
//! suites in the same way, also where the archive lists the installed one but does not have its files.

use crate::build::debian_source::{Apt, without_epoch};
use crate::system::{Environment, packages, workspace};
use anyhow::{Context, Result};
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
        _ => download(&Apt::of_machine(folder_of("apt"))?, &version),
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
    let apt = Apt::of_suites(&SUITES, folder_of("apt-all-suites"))?;
    let known = apt.known(PACKAGE).with_context(|| unavailable(wanted))?;
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
    let folder = folder_of(version);
    apt.download(PACKAGE, version, &folder).with_context(|| unavailable(version))?;
    Ok(folder)
}

/// Debian's name of it.
const PACKAGE: &str = "qt6-base";

/// From the oldest that has Qt 6 to the newest.
const SUITES: [&str; 4] = ["bookworm", "trixie", "forky", "sid"];

/// Debian's versions of the source of Qt's version, as `apt-cache showsrc` lists them.
fn source_versions<'a>(stanzas: &'a str, wanted: &str) -> impl Iterator<Item = &'a str> {
    let versions = stanzas.lines().filter_map(|line| line.strip_prefix("Version: "));
    versions.filter(move |version| qt_version(version) == wanted)
}

/// Qt's part of a version of Debian's.
fn qt_version(version: &str) -> &str {
    without_epoch(version).split(['+', '-', '~']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_apt_says() {
        let stanzas = ["6.11.2+dfsg-7", "4:6.4.2+dfsg-10", "6.11.2~rc-1"].map(|v| format!("Version: {v}\n"));
        let stanzas = stanzas.join("Package: q\n\n");
        let found = ["6.4.2", "6.11.2", "6.1"].map(|wanted| source_versions(&stanzas, wanted).collect_vec());
        assert_eq!(found, [vec!["4:6.4.2+dfsg-10"], vec!["6.11.2+dfsg-7", "6.11.2~rc-1"], vec![]]);
    }
}
