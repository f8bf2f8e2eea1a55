// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds: Qt's source, the plugins, the C header.

pub mod cmake;
pub mod header;
pub mod plugin;
pub mod qt_source;

use crate::system::workspace;
use anyhow::Result;
use plugin::Flavour;
use std::path::Path;

/// Builds our plugin and stock.
pub fn plugins(qt_source: &Path) -> Result<()> {
    Flavour::USUAL.into_iter().try_for_each(|flavour| plugin::build(flavour, qt_source).map(|_| ()))
}

/// Builds Qt's autotests and our own programs.
pub fn programs(qt_source: &Path) -> Result<()> {
    let variables = [("QT_SOURCE_DIR", &*qt_source.to_string_lossy())];
    cmake::build("qt-tests", &workspace::target("qt-tests-build"), &variables)
}
