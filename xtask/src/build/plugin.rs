// SPDX-License-Identifier: MIT OR Apache-2.0
//! The TLS plugin with our DTLS, or with Qt's own by the same recipe.

use crate::build::cmake;
use crate::system::process::{capture, command};
use crate::system::workspace;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};

/// Whose DTLS a plugin has, and whether it finds OpenSSL at run time, as Debian's Qt does, or is linked to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flavour {
    Rust,
    Stock,
    RustLinked,
    StockLinked,
}

impl Flavour {
    /// Ours and stock, built as Debian builds it.
    pub const USUAL: [Self; 2] = [Self::Rust, Self::Stock];
    pub const LINKED: [Self; 2] = [Self::RustLinked, Self::StockLinked];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Stock => "stock",
            Self::RustLinked => "rust-linked",
            Self::StockLinked => "stock-linked",
        }
    }

    pub fn is_stock(self) -> bool {
        matches!(self, Self::Stock | Self::StockLinked)
    }

    fn is_linked(self) -> bool {
        Self::LINKED.contains(&self)
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
    let switch = |value| if value { "ON" } else { "OFF" };
    let mut variables = vec![
        ("QT_SOURCE_DIR", qt_source.to_string_lossy()),
        ("PLUGIN_DIR", plugin_dir.to_string_lossy()),
        ("OPENSSL_LINKED", switch(flavour.is_linked()).into()),
        ("STOCK", switch(flavour.is_stock()).into()),
    ];
    let crate_dir = workspace::target("plugin-crate");
    if !flavour.is_stock() {
        variables.extend([
            ("QDTLS_RS_ADAPTER_COMPILE_OPTIONS", "-Wall;-Wextra;-Werror".into()),
            ("QDTLS_RS_CARGO_TARGET_DIR", crate_dir.to_string_lossy()),
            // One that an earlier configuration named would be taken in place of what cargo builds.
            ("QDTLS_RS_LIBRARY", "".into()),
        ]);
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
    cmake::build("cmake/plugin", &build_dir(flavour), &variables)?;
    Ok(plugin_dir)
}

/// Fails unless building once more, with nothing changed, does nothing.
pub fn check_idle() -> Result<()> {
    for flavour in [Flavour::Rust, Flavour::RustLinked] {
        let output = capture(command("cmake").arg("--build").arg(build_dir(flavour)))?;
        ensure!(
            output.contains("no work to do"),
            "a second build of the {} plugin:\n{output}",
            flavour.name()
        );
    }
    Ok(())
}

/// Where [`build`] leaves the static library that is in our plugin.
pub fn library() -> PathBuf {
    build_dir(Flavour::Rust).join("qdtls_rs/libqdtls_rs.a")
}

pub fn build_dir(flavour: Flavour) -> PathBuf {
    workspace::target("plugin-build").join(flavour.name())
}
