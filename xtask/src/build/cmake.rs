// SPDX-License-Identifier: MIT OR Apache-2.0
//! Configuring and building a CMake project.

use crate::system::process::{capture, command};
use crate::system::workspace;
use anyhow::Result;
use std::path::Path;

/// Builds the project in folder `source` of the repository, with the given cache variables.
pub fn build(source: &str, build_dir: &Path, variables: &[(&str, &str)]) -> Result<()> {
    let definitions = variables.iter().map(|(name, value)| format!("-D{name}={value}"));
    capture(
        command("cmake")
            .args(["-G", "Ninja", "-S"])
            .arg(workspace::root().join(source))
            .arg("-B")
            .arg(build_dir)
            .args(definitions),
    )?;
    capture(command("cmake").arg("--build").arg(build_dir))?;
    Ok(())
}
