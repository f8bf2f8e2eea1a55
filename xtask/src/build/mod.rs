// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds: Debian's sources, Qt's, the plugins, the test programs, the C header, the figures, the SBOM.

pub mod cmake;
pub mod debian_source;
pub mod figures;
pub mod header;
pub mod plugin;
pub mod qt_source;
pub mod sbom;

use crate::system::{Environment, packages, workspace};
use anyhow::Result;
pub use plugin::Flavour;
use std::path::{Path, PathBuf};

/// Installs what the tests need, and builds our plugin, stock and the test programs. Returns Qt's source.
pub fn for_tests(environment: &Environment) -> Result<PathBuf> {
    packages::ensure(&[packages::PLUGIN, packages::TEST].concat(), environment)?;
    let qt_source = qt_source::find(environment)?;
    plugins(&qt_source)?;
    programs(&qt_source)?;
    Ok(qt_source)
}

/// Installs what building needs, and builds our plugin and stock. Returns Qt's source.
pub fn plugins_for(environment: &Environment) -> Result<PathBuf> {
    packages::ensure(packages::PLUGIN, environment)?;
    let qt_source = qt_source::find(environment)?;
    plugins(&qt_source)?;
    Ok(qt_source)
}

/// Builds our plugin and stock.
pub fn plugins(qt_source: &Path) -> Result<()> {
    Flavour::USUAL.into_iter().try_for_each(|flavour| plugin::build(flavour, qt_source).map(|_| ()))
}

/// Builds Qt's autotests and our own programs.
pub fn programs(qt_source: &Path) -> Result<()> {
    cmake::build("qt-tests", &programs_dir(), &of_programs(qt_source))
}

/// Builds those of them alone.
pub fn some_programs(qt_source: &Path, names: &[&str]) -> Result<()> {
    cmake::configure("qt-tests", &programs_dir(), &of_programs(qt_source))?;
    cmake::build_targets(&programs_dir(), names).map(drop)
}

fn programs_dir() -> PathBuf {
    workspace::target("qt-tests-build")
}

/// A list of programs that an earlier configuration left in the cache may lack new ones.
fn of_programs(qt_source: &Path) -> [String; 2] {
    ["-UPROGRAMS".into(), cmake::define("QT_SOURCE_DIR", qt_source.display())]
}

/// Where [`programs`] leaves one.
pub fn program(name: &str) -> PathBuf {
    programs_dir().join("bin").join(name)
}
