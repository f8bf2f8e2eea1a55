// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask deb-source`: the Debian source package for the Qt of the machine it runs on.
//!
//! It builds without a network: beside the repository's files it contains the source of Qt's TLS plugin and all crates,
//! as components of upstream's source. The recipe is packaging/debian.

use crate::build::qt_source;
use crate::check::sources;
use crate::system::{Environment, Run, cargo, cmd, packages, shell, shell_in, template, workspace};
use anyhow::{Context, Result};
use minijinja::context;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of qtbase that the plugin is built of.
pub const QT_PARTS: [&str; 3] = [".cmake.conf", "LICENSES", "src/plugins/tls"];

/// Where the package is made, and its source unpacked.
pub fn folder() -> PathBuf {
    workspace::target("deb")
}

/// Makes the package and returns the folder of its unpacked source, which lies beside its archives.
pub fn run(environment: &Environment) -> Result<PathBuf> {
    packages::ensure(packages::DEB_SOURCE, environment)?;
    let qt_source = qt_source::find_exact(environment)?;
    let qt_version = qt_source::installed()?;
    // What is after the last hyphen of a version would be the package's revision.
    let version = format!("{}+qt{}", env!("CARGO_PKG_VERSION"), qt_version.replace('-', "."));
    let tree = folder().join(format!("qdtls-rs-{version}"));
    workspace::remove(&folder())?;
    fs::create_dir_all(&tree)?;

    let time = time()?;
    let pack = |folder: &Path, component: &str| {
        let archive = self::folder().join(format!("qdtls-rs_{version}.orig{component}.tar.xz"));
        pack(folder, &archive, &time)
    };
    copy_files(workspace::root(), &sources::files()?, &tree)?;
    pack(&tree, "")?;
    let qtbase = tree.join("qtbase");
    fs::create_dir(&qtbase)?;
    copy_files(&qt_source, &QT_PARTS, &qtbase)?;
    pack(&qtbase, "-qtbase")?;
    let vendor = tree.join("vendor");
    self::vendor(&vendor)?;
    pack(&vendor, "-vendor")?;

    write_recipe(&tree, &format!("{version}-1"), &time)?;
    let here = shell_in(&folder());
    cmd!(here, "dpkg-source --build {tree}").quietly()?;
    Ok(tree)
}

/// The time that files in archives have: that of the last commit.
pub fn time() -> Result<String> {
    cmd!(shell(), "git log -1 --format=%ct").capture()
}

/// Puts all crates into a folder.
pub fn vendor(folder: &Path) -> Result<()> {
    let cargo = cargo();
    cmd!(shell(), "{cargo} vendor --quiet --locked --versioned-dirs {folder}").quietly()
}

pub fn copy_files(from: &Path, files: &[impl AsRef<str>], to: &Path) -> Result<()> {
    let (here, files) = (shell_in(from), files.iter().map(AsRef::as_ref));
    cmd!(here, "cp --parents --recursive --no-dereference -- {files...} {to}").quietly()
}

/// Packs a folder so that the same contents give the same archive.
pub fn pack(folder: &Path, archive: &Path, time: &str) -> Result<()> {
    let (parent, name) = (folder.parent(), folder.file_name().context("a folder has a name")?);
    let owner = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go=rX,a-s"];
    let tar = cmd!(shell(), "tar --create --xz --sort=name --format=gnu {owner...} --mtime=@{time}");
    tar.arg("--file").arg(archive).arg("--directory").args(parent).arg(name).quietly()
}

/// The folder `debian`, with what changes from package to package.
fn write_recipe(tree: &Path, version: &str, time: &str) -> Result<()> {
    let debian = tree.join("debian");
    cmd!(shell(), "cp --recursive packaging/debian {debian}").quietly()?;
    // Who makes the package, from the variables that Debian's tools use.
    let variable = |name, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.into());
    let maintainer =
        format!("{} <{}>", variable("DEBFULLNAME", "qdtls-rs"), variable("DEBEMAIL", "qdtls-rs@localhost"));
    let date = cmd!(shell(), "date --rfc-email --utc --date=@{time}").capture()?;
    let (control, changelog) =
        (workspace::read(debian.join("control"))?, include_str!("../../templates/changelog"));
    for (file, template) in [("control", &*control), ("changelog", changelog)] {
        let context = context! { maintainer, version, date };
        fs::write(debian.join(file), template::render(template, context)?)?;
    }
    fs::create_dir(debian.join("source"))?;
    Ok(fs::write(debian.join("source/format"), "3.0 (quilt)\n")?)
}
