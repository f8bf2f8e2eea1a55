// SPDX-License-Identifier: MIT OR Apache-2.0
//! CMake projects and scripts.

use crate::system::{Run, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use std::fmt::Display;
use std::path::Path;

pub fn define(name: &str, value: impl Display) -> String {
    format!("-D{name}={value}")
}

pub fn switch(name: &str, value: bool) -> String {
    define(name, if value { "ON" } else { "OFF" })
}

/// Configures the project in the folder `source` of the repository.
pub fn configure(source: &str, build_dir: &Path, definitions: &[String]) -> Result<()> {
    cmd!(shell(), "cmake -G Ninja -S {source} -B {build_dir} {definitions...}").quietly()
}

/// Configures and builds it.
pub fn build(source: &str, build_dir: &Path, definitions: &[String]) -> Result<()> {
    configure(source, build_dir, definitions)?;
    build_targets(build_dir, &["all"]).map(|_| ())
}

/// Builds what is configured, and returns what ninja says.
pub fn build_targets(build_dir: &Path, targets: &[&str]) -> Result<String> {
    cmd!(shell(), "cmake --build {build_dir} --target {targets...}").capture()
}

/// Runs a script of `cmake/tests`, and returns how many tests passed.
pub fn test(script: &str, definitions: &[String]) -> Result<u32> {
    let work_dir = workspace::target("cmake-tests");
    workspace::fresh(&work_dir)?;
    let outcome = cmd!(shell(), "cmake -DWORK_DIR={work_dir} {definitions...} -P cmake/tests/{script}.cmake")
        .outcome()?;
    let text = outcome.stderr;
    ensure!(outcome.status.success(), "{text}");
    let passed = text.trim().strip_suffix(" passed").and_then(|number| number.parse().ok());
    passed.with_context(|| format!("no number of passed tests in '{text}'"))
}
