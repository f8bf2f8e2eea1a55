// SPDX-License-Identifier: MIT OR Apache-2.0
//! The TLS plugin with our DTLS, or with Qt's own by the same recipe.

use crate::process::{capture, cargo};
use crate::{cmake, workspace};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Whose DTLS a plugin has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flavour {
    Rust,
    Stock,
}

impl Flavour {
    pub const ALL: [Self; 2] = [Self::Rust, Self::Stock];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Stock => "stock",
        }
    }

    /// The folder that `QT_PLUGIN_PATH` takes.
    pub fn plugin_dir(self) -> PathBuf {
        workspace::target("plugins").join(self.name())
    }

    pub fn plugin_file(self) -> PathBuf {
        self.plugin_dir().join("tls").join(FILE_NAME)
    }
}

/// The plugin's name, which is Qt's own: that is how it takes the place of the installed one.
pub const FILE_NAME: &str = "libqopensslbackend.so";

/// Builds the plugin and returns the folder that `QT_PLUGIN_PATH` takes.
pub fn build(flavour: Flavour, qt_source: &Path) -> Result<PathBuf> {
    eprintln!("building the {} plugin", flavour.name());
    let plugin_dir = flavour.plugin_dir();
    let library = match flavour {
        Flavour::Rust => build_library()?,
        Flavour::Stock => PathBuf::new(),
    };
    let variables = [
        ("QT_SOURCE_DIR", &*qt_source.to_string_lossy()),
        ("PLUGIN_DIR", &*plugin_dir.to_string_lossy()),
        ("QDTLS_RS_LIBRARY", &*library.to_string_lossy()),
        ("STOCK", if flavour == Flavour::Stock { "ON" } else { "OFF" }),
        ("ADAPTER_COMPILE_OPTIONS", "-Wall;-Wextra;-Werror"),
    ];
    cmake::build("cmake/plugin", &workspace::target("plugin-build").join(flavour.name()), &variables)?;
    Ok(plugin_dir)
}

/// The static library that goes into the plugin: OpenSSL is looked up at run time in the one that Qt has loaded.
fn build_library() -> Result<PathBuf> {
    let target_dir = workspace::target("plugin-crate");
    capture(
        cargo()
            .args(["build", "--release", "--package", "qdtls-rs", "--lib", "--no-default-features"])
            .arg("--target-dir")
            .arg(&target_dir),
    )?;
    Ok(library())
}

/// Where [`build`] leaves the static library.
pub fn library() -> PathBuf {
    workspace::target("plugin-crate").join("release").join("libqdtls_rs.a")
}
