// SPDX-License-Identifier: MIT OR Apache-2.0
//! Paths in the repository.

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
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

/// The lines of a table of tab-separated values, without those that begin with `#`.
pub fn table<Row: DeserializeOwned>(text: &str) -> Result<Vec<Row>> {
    let mut format = csv::ReaderBuilder::new();
    format.delimiter(b'\t').quoting(false).comment(Some(b'#')).has_headers(false).flexible(true);
    let lines = format.from_reader(text.as_bytes()).into_deserialize();
    lines.map(|row| row.context("a line does not have the columns it should")).collect()
}
