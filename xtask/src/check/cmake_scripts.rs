// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the CMake files that are CMake scripts: which Qt builds they refuse, and the Rust target of a toolchain.

use crate::system::{Run, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};

/// Runs a script of `cmake/tests`, and returns how many tests passed.
pub fn run(script: &str) -> Result<u32> {
    let work_dir = workspace::target("cmake-tests");
    workspace::fresh(&work_dir)?;
    let outcome = cmd!(shell(), "cmake -DWORK_DIR={work_dir} -P cmake/tests/{script}.cmake").outcome()?;
    let text = outcome.stderr;
    ensure!(outcome.status.success(), "{text}");
    let passed = text.trim().strip_suffix(" passed").and_then(|number| number.parse().ok());
    passed.with_context(|| format!("no number of passed tests in '{text}'"))
}
