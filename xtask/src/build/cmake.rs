// SPDX-License-Identifier: MIT OR Apache-2.0
//! CMake projects.

use crate::system::{Run, cmd, shell};
use anyhow::Result;
use std::fmt::Display;
use std::path::Path;

pub fn define(name: &str, value: impl Display) -> String {
    format!("-D{name}={value}")
}

pub fn switch(name: &str, value: bool) -> String {
    define(name, if value { "ON" } else { "OFF" })
}

/// Configures and builds the project in the folder `source` of the repository.
pub fn build(source: &str, build_dir: &Path, definitions: &[String]) -> Result<()> {
    cmd!(shell(), "cmake -G Ninja -S {source} -B {build_dir} {definitions...}").quietly()?;
    build_targets(build_dir, &["all"]).map(|_| ())
}

/// Builds what is configured, and returns what ninja says.
pub fn build_targets(build_dir: &Path, targets: &[&str]) -> Result<String> {
    cmd!(shell(), "cmake --build {build_dir} --target {targets...}").capture()
}
