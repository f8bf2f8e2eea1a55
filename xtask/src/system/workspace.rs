// SPDX-License-Identifier: MIT OR Apache-2.0
//! Paths in the repository.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// A path under `target/`, which holds everything that is built or downloaded.
pub fn target(path: &str) -> PathBuf {
    root().join("target").join(path)
}

/// Makes the folder, empty.
pub fn fresh(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Removes the folder if it exists.
pub fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

pub fn read(path: impl AsRef<Path>) -> Result<String> {
    let path = root().join(path);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The columns of a line of tab-separated values.
pub fn columns<const N: usize>(line: &str) -> Result<[&str; N]> {
    let columns: Vec<_> = line.split('\t').collect();
    columns.try_into().ok().with_context(|| format!("'{line}' does not have {N} columns"))
}
