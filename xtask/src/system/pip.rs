// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages of PyPI.

use crate::system::{Run, cmd, shell};
use anyhow::Result;
use std::path::Path;

/// Installs packages, such as `name==version`, into a folder of their own, once.
pub fn install(packages: &[String], options: &[&str], folder: &Path) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    cmd!(shell(), "python3 -m pip install --quiet --no-deps {options...} --target {folder} {packages...}")
        .quietly()
}
