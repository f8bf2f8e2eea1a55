// SPDX-License-Identifier: MIT OR Apache-2.0
//! The TLS plugin with our DTLS, or with Qt's own by the same recipe.

use crate::build::cmake::{self, define, switch};
use crate::system::workspace;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};

/// Whose DTLS a plugin has; whether it loads OpenSSL at run time, as Debian's Qt does, or is linked to it and compiled by
/// clang; and whether it serves any Qt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flavour {
    pub is_stock: bool,
    pub is_linked: bool,
    pub is_for_any_qt: bool,
}

impl Flavour {
    pub const OURS: Self = Self::of(false);
    pub const STOCK: Self = Self::of(true);
    /// Ours and stock, built as Debian builds it; and linked to OpenSSL, by the other compiler, so that both are tested.
    pub const USUAL: [Self; 2] = [Self::OURS, Self::STOCK];
    pub const LINKED: [Self; 2] = [Self::OURS.linked(), Self::STOCK.linked()];

    /// Ours, which takes the Qt of its program without a look at its version.
    pub const ANY_QT: Self = Self { is_for_any_qt: true, ..Self::OURS };

    /// Built as Debian builds it.
    pub const fn of(is_stock: bool) -> Self {
        Self { is_stock, is_linked: false, is_for_any_qt: false }
    }

    const fn linked(self) -> Self {
        Self { is_linked: true, ..self }
    }

    pub fn name(self) -> String {
        let whose = if self.is_stock { "stock" } else { "rust" };
        let linked = if self.is_linked { "-clang-linked" } else { "" };
        format!("{whose}{linked}{}", if self.is_for_any_qt { "-any-qt" } else { "" })
    }

    /// The folder that `QT_PLUGIN_PATH` takes.
    pub fn plugin_dir(self) -> PathBuf {
        workspace::target("plugins").join(self.name())
    }

    pub fn plugin_file(self) -> PathBuf {
        self.plugin_dir().join("tls").join(FILE_NAME)
    }

    pub fn build_dir(self) -> PathBuf {
        workspace::target("plugin-build").join(self.name())
    }
}

/// The plugin's name, which is Qt's own: that is how it replaces the installed one.
pub const FILE_NAME: &str = "libqopensslbackend.so";

/// Builds the plugin and returns the folder that `QT_PLUGIN_PATH` takes.
pub fn build(flavour: Flavour, qt_source: &Path) -> Result<PathBuf> {
    eprintln!("building the {} plugin", flavour.name());
    let plugin_dir = flavour.plugin_dir();
    let mut definitions = vec![
        define("QT_SOURCE_DIR", qt_source.display()),
        define("PLUGIN_DIR", plugin_dir.display()),
        switch("OPENSSL_LINKED", flavour.is_linked),
        switch("STOCK", flavour.is_stock),
        switch("ANY_QT", flavour.is_for_any_qt),
    ];
    if flavour.is_linked {
        definitions.push(define("CMAKE_CXX_COMPILER", "clang++"));
    }
    if !flavour.is_stock {
        definitions.extend([
            define("QDTLS_RS_ADAPTER_COMPILE_OPTIONS", "-Wall;-Wextra;-Werror"),
            define("QDTLS_RS_CARGO_TARGET_DIR", workspace::target("plugin-crate").display()),
            // CMake caches the library of an earlier configuration, which would replace cargo's.
            define("QDTLS_RS_LIBRARY", ""),
        ]);
    }
    cmake::build("cmake/plugin", &flavour.build_dir(), &definitions)?;
    Ok(plugin_dir)
}

/// Fails unless a second build of our plugins has nothing to do.
pub fn check_idle() -> Result<()> {
    for flavour in [Flavour::USUAL[0], Flavour::LINKED[0]] {
        let output = cmake::build_targets(&flavour.build_dir(), &["all"])?;
        let idle = output.contains("no work to do");
        ensure!(idle, "a second build of the {} plugin:\n{output}", flavour.name());
    }
    Ok(())
}

/// Where [`build`] leaves the static library that our plugin contains.
pub fn library() -> PathBuf {
    Flavour::OURS.build_dir().join("qdtls_rs/libqdtls_rs.a")
}
