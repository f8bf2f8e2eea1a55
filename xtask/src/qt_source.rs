// SPDX-License-Identifier: MIT OR Apache-2.0
//! The source of the installed qtbase.
//!
//! It is the source package that Debian's binary packages were built from, with Debian's patches, so that the plugin
//! built of it differs from the installed one in nothing that we did not change. apt fetches and verifies it with
//! lists and folders of our own: the machine's are read, never written.

use crate::process::{capture, command};
use crate::{packages, workspace};
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
        eprintln!("downloading the source of qt6-base {version}");
        download(&version, &folder).with_context(|| {
            format!("no source of qt6-base {version}; download it yourself and use --qt-source DIR")
        })?;
    }
    Ok(folder)
}

/// The version of qtbase that `folder` says it holds.
pub fn version(folder: &Path) -> Result<String> {
    let file = folder.join(".cmake.conf");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let (_, rest) = text.split_once("QT_REPO_MODULE_VERSION \"").context("no version in .cmake.conf")?;
    Ok(rest.split('"').next().unwrap_or_default().into())
}

fn download(version: &str, folder: &Path) -> Result<()> {
    let work_dir = workspace::target("qt-source/apt");
    for needed in ["lists.d", "state/lists/partial", "cache/archives/partial", "download"] {
        fs::create_dir_all(work_dir.join(needed))?;
    }
    write_source_lists(Path::new("/etc/apt"), &work_dir.join("lists.d"))?;

    // Some of the machine's archives may have no sources: only that this package is found in the end matters.
    let update = apt_get(&work_dir).arg("update").output()?;
    let source = format!("qt6-base={version}");
    let mut fetch = apt_get(&work_dir);
    fetch.current_dir(work_dir.join("download")).args([
        "source",
        "--download-only",
        "--only-source",
        &source,
    ]);
    capture(&mut fetch).with_context(|| String::from_utf8_lossy(&update.stderr).into_owned())?;

    // Unpacked under another name first, so that what is under the final name is complete.
    let unpacked = work_dir.join("unpacked");
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked)?;
    }
    let dsc = work_dir.join("download").join(format!("qt6-base_{}.dsc", without_epoch(version)));
    capture(command("dpkg-source").args(["--no-check", "--extract"]).arg(dsc).arg(&unpacked))?;
    fs::rename(&unpacked, folder)?;
    Ok(())
}

/// apt-get that reads our lists and keeps its state below `work_dir`, where its sandbox user may have no access.
fn apt_get(work_dir: &Path) -> Command {
    let option = |name: &str, path: &str| format!("{name}={}", work_dir.join(path).display());
    let mut apt_get = command("apt-get");
    for setting in [
        option("Dir::Etc::SourceParts", "lists.d"),
        option("Dir::State", "state"),
        option("Dir::Cache", "cache"),
        "Dir::Etc::SourceList=/dev/null".into(),
        "APT::Sandbox::User=root".into(),
        "Acquire::Languages=none".into(),
        "Acquire::Retries=3".into(),
    ] {
        apt_get.arg("--option").arg(setting);
    }
    apt_get
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
    fn file_names_have_no_epoch() {
        assert_eq!(without_epoch("4:6.4.2+dfsg-10"), "6.4.2+dfsg-10");
        assert_eq!(without_epoch("6.4.2+dfsg-10"), "6.4.2+dfsg-10");
    }
}
