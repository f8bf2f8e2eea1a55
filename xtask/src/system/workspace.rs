// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things lie.

use std::path::{Path, PathBuf};

/// Root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}

/// A path under `target/`, which holds everything that is built or downloaded.
pub fn target(path: &str) -> PathBuf {
    root().join("target").join(path)
}
