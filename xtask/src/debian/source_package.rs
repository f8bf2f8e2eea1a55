// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask deb-source`: the Debian source package for the Qt of the machine it runs on.
//!
//! It builds without a network: beside the repository's files there are the source of Qt's TLS plugin and all crates, as
//! components of upstream's source. The recipe is packaging/debian.

use crate::build::qt_source;
use crate::system::environment::Environment;
use crate::system::packages;
use crate::system::process::{capture, cargo, command};
use crate::system::repository;
use crate::system::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Of qtbase, what the plugin is built of.
const QT_PARTS: [&str; 3] = [".cmake.conf", "LICENSES", "src/plugins/tls"];

/// Where the package is made, and its source unpacked.
pub fn folder() -> PathBuf {
    workspace::target("deb")
}

/// Makes the package and returns the folder of its unpacked source; beside it lie its archives.
pub fn run(environment: &Environment) -> Result<PathBuf> {
    packages::ensure(packages::DEB_SOURCE, environment.install)?;
    let qt_source = qt_source::find(environment.qt_source.as_deref())?;
    let version = format!("{}+qt{}", env!("CARGO_PKG_VERSION"), part_of_version(&qt_version()?));
    let tree = folder().join(format!("qdtls-rs-{version}"));
    if folder().exists() {
        fs::remove_dir_all(folder())?;
    }
    fs::create_dir_all(&tree)?;

    let time = capture(command("git").args(["log", "-1", "--format=%ct"]))?;
    let pack = |folder: &Path, component: &str| {
        let archive = self::folder().join(format!("qdtls-rs_{version}.orig{component}.tar.xz"));
        pack(folder, &archive, time.trim())
    };
    let files = repository::files()?;
    copy_files(workspace::root(), files.iter().map(String::as_str), &tree)?;
    pack(&tree, "")?;
    let qtbase = tree.join("qtbase");
    fs::create_dir(&qtbase)?;
    copy_files(&qt_source, QT_PARTS.into_iter(), &qtbase)?;
    pack(&qtbase, "-qtbase")?;
    let vendor = tree.join("vendor");
    capture(cargo().args(["vendor", "--quiet", "--locked", "--versioned-dirs"]).arg(&vendor))?;
    pack(&vendor, "-vendor")?;

    write_recipe(&tree, &format!("{version}-1"), time.trim())?;
    let mut build = command("dpkg-source");
    capture(build.current_dir(folder()).args(["--build"]).arg(&tree))?;
    Ok(tree)
}

/// The version of the source package that the installed Qt was built from.
fn qt_version() -> Result<String> {
    packages::field("qt6-base-dev", "source:Version")
}

/// What is after the last hyphen of a version would be Debian's revision of ours.
fn part_of_version(version: &str) -> String {
    version.replace('-', ".")
}

fn copy_files<'a>(from: &Path, files: impl Iterator<Item = &'a str>, to: &Path) -> Result<()> {
    capture(
        command("cp")
            .current_dir(from)
            .args(["--parents", "--recursive", "--no-dereference", "--"])
            .args(files)
            .arg(to),
    )?;
    Ok(())
}

/// Packs a folder so that the same contents give the same archive.
fn pack(folder: &Path, archive: &Path, time: &str) -> Result<()> {
    let name = folder.file_name().context("a folder has a name")?;
    let mut tar = command("tar");
    tar.args(["--create", "--xz", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
    tar.args(["--mode=u+rw,go=rX,a-s", "--format=gnu", &format!("--mtime=@{time}")]);
    capture(tar.arg("--file").arg(archive).arg("--directory").arg(folder.join("..")).arg(name))?;
    Ok(())
}

/// The folder `debian`, with what changes from package to package.
fn write_recipe(tree: &Path, version: &str, time: &str) -> Result<()> {
    let debian = tree.join("debian");
    capture(command("cp").args(["--recursive", "packaging/debian"]).arg(&debian))?;
    let maintainer = maintainer();
    let control = fs::read_to_string(debian.join("control"))?;
    ensure!(control.contains("@MAINTAINER@"), "packaging/debian/control has no @MAINTAINER@");
    fs::write(debian.join("control"), control.replace("@MAINTAINER@", &maintainer))?;
    let date = capture(command("date").args(["--rfc-email", "--utc", &format!("--date=@{time}")]))?;
    fs::write(debian.join("changelog"), changelog(version, &maintainer, date.trim()))?;
    fs::create_dir(debian.join("source"))?;
    fs::write(debian.join("source/format"), "3.0 (quilt)\n")?;
    Ok(())
}

/// Who makes the package, from the variables that Debian's tools use.
fn maintainer() -> String {
    let variable = |name, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.into());
    format!("{} <{}>", variable("DEBFULLNAME", "qdtls-rs"), variable("DEBEMAIL", "qdtls-rs@localhost"))
}

fn changelog(version: &str, maintainer: &str, date: &str) -> String {
    format!(
        "qdtls-rs ({version}) UNRELEASED; urgency=medium\n\n  * Built for this version of Qt.\n\n -- {maintainer}  {date}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_qt_has_no_revision() {
        assert_eq!(part_of_version("6.8.2+dfsg-9+deb13u2"), "6.8.2+dfsg.9+deb13u2");
    }

    #[test]
    fn the_changelog_is_in_debians_format() {
        let text = changelog("0.1.0+qt6-1", "A <a@b>", "Sat, 21 Nov 2026 10:00:00 +0000");
        assert!(text.starts_with("qdtls-rs (0.1.0+qt6-1) UNRELEASED; urgency=medium\n\n  * "));
        assert!(text.ends_with("\n\n -- A <a@b>  Sat, 21 Nov 2026 10:00:00 +0000\n"));
    }
}
