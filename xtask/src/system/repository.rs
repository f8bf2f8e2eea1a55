// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git knows.

use crate::system::process::{capture, command};
use crate::system::workspace;
use anyhow::Result;

/// The repository's files, tracked or about to be.
pub fn files() -> Result<Vec<String>> {
    let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let output = capture(command("git").args(listing))?;
    let files = output.split_terminator('\0').filter(|file| workspace::root().join(file).exists());
    Ok(files.map(String::from).collect())
}
