// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask rpm`: the RPM packages of `packaging/rpm`, built for the installed Qt by Debian's rpm, and the plugin
//! in them tried. What a package of theirs needs cannot be checked here: rpm does not know Debian's packages.

use crate::build::{self, qt_source};
use crate::check::sources;
use crate::debian::source_package::{self, QT_PARTS};
use crate::system::{Environment, Run, cmd, packages, shell, shell_in, workspace};
use crate::test::autotests::{self, AUTOTESTS};
use crate::test::qt_program::without_settings;
use anyhow::{Context, Result};
use itertools::Itertools;
use std::fs;
use std::path::{Path, PathBuf};

const SPEC: &str = "packaging/rpm/qdtls-rs.spec";
const PACKAGES: [&str; 3] = ["qt6-qdtls-rs-plugin", "qdtls-rs-libs", "qdtls-rs-devel"];

pub fn run(environment: &Environment) -> Result<()> {
    packages::ensure(&[packages::PLUGIN, packages::RPM].concat(), environment)?;
    let qt_source = qt_source::find(environment)?;
    let qt = qt_source::version(&qt_source)?;
    let folder = workspace::target("rpm");
    workspace::fresh(&folder)?;
    eprintln!("packing the sources");
    pack_sources(&qt_source, &qt, &folder)?;
    eprintln!("building the packages");
    let (top, version) = (format!("_topdir {}", folder.display()), format!("qt_version {qt}"));
    cmd!(shell(), "rpmbuild -ba --nodeps --define {top} --define {version} {SPEC}").quietly()?;

    let unpacked = folder.join("unpacked");
    fs::create_dir(&unpacked)?;
    for package in PACKAGES {
        let file = built(&folder, package)?;
        let here = shell_in(&folder);
        cmd!(here, "rpm2archive {file}").quietly()?;
        cmd!(here, "tar --extract --gzip --file {file}.tgz --directory {unpacked}").quietly()?;
        println!("{}", file.display());
    }
    try_out(&unpacked, &qt_source, &qt)
}

/// The sources as the recipe names them, each with its folder in it.
fn pack_sources(qt_source: &Path, qt: &str, folder: &Path) -> Result<()> {
    let (sources_dir, name) = (folder.join("SOURCES"), format!("qdtls-rs-{}", env!("CARGO_PKG_VERSION")));
    let (tree, vendor, qtbase) =
        (folder.join(&name), folder.join("vendor"), folder.join(format!("qtbase-{qt}")));
    [&sources_dir, &tree, &qtbase].into_iter().try_for_each(fs::create_dir)?;
    source_package::copy_files(workspace::root(), &sources::files()?, &tree)?;
    source_package::vendor(&vendor)?;
    source_package::copy_files(qt_source, &QT_PARTS, &qtbase)?;
    let time = source_package::time()?;
    for (folder, archive) in
        [(&tree, name.clone()), (&vendor, format!("{name}-vendor")), (&qtbase, format!("qtbase-{qt}"))]
    {
        source_package::pack(folder, &sources_dir.join(format!("{archive}.tar.xz")), &time)?;
    }
    Ok(())
}

/// The file of a package.
fn built(folder: &Path, package: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder.join("RPMS").join(value_of("%{_arch}")?))?;
    let paths: Vec<_> = entries.map_ok(|entry| entry.path()).try_collect()?;
    let is_it = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{package}-0")))
    };
    paths.into_iter().find(is_it).with_context(|| format!("no {package} was built"))
}

/// The value of one of rpm's macros.
fn value_of(name: &str) -> Result<String> {
    cmd!(shell(), "rpm --eval {name}").capture()
}

/// Runs Qt's autotests on the packaged plugin.
fn try_out(unpacked: &Path, qt_source: &Path, qt: &str) -> Result<()> {
    let library_dir = value_of("%{_libdir}")?;
    let plugins = unpacked.join(library_dir.trim_start_matches('/')).join("qdtls-rs/plugins");
    build::some_programs(qt_source, &AUTOTESTS)?;
    for name in AUTOTESTS {
        let (here, program) = (shell_in(&autotests::folder(qt_source, name)), build::program(name));
        let test = without_settings(cmd!(here, "{program}")).env("QT_PLUGIN_PATH", &plugins);
        let totals = autotests::run_elsewhere(test, Some(qt), false).context(name)?;
        println!("{name}: {totals}");
    }
    Ok(())
}
