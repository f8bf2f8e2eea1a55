// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C++ of our plugin, and of the programs that test it, compiled so that a tool sees what it does.

use crate::build::cmake::{self, define};
use crate::system::workspace;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// What was built.
pub struct Instrumented {
    pub folder: PathBuf,
}

impl Instrumented {
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin().join(name)
    }

    fn bin(&self) -> PathBuf {
        self.folder.join("qt-tests-build/bin")
    }
}

/// Builds plugin and programs with these flags of gcc's and this build of the crate, in a folder under `target`. Its
/// plugin is the only one that the programs find.
pub fn build(folder: &str, flags: &str, library: &Path, qt_source: &Path) -> Result<Instrumented> {
    let folder = workspace::target(folder);
    let plugins = folder.join("plugins");
    let source = define("QT_SOURCE_DIR", qt_source.display());
    let flags = define("CMAKE_CXX_FLAGS", flags);
    let library = define("QDTLS_RS_LIBRARY", library.display());
    // A sanitizer keeps functions that nothing calls, and one of them calls OpenSSL.
    let openssl = define("CMAKE_CXX_STANDARD_LIBRARIES", "-lssl -lcrypto");
    let plugin_dir = define("PLUGIN_DIR", plugins.display());
    let of_plugin = [source.clone(), flags.clone(), library, openssl, plugin_dir];
    cmake::build("cmake/plugin", &folder.join("plugin-build"), &of_plugin)?;
    let of_tests = [source, flags, define("PROGRAMS", "autotests;hardening;interop")];
    cmake::build("qt-tests", &folder.join("qt-tests-build"), &of_tests)?;
    let built = Instrumented { folder };
    fs::write(built.bin().join("qt.conf"), format!("[Paths]\nPlugins = \"{}\"\n", plugins.display()))?;
    Ok(built)
}
