// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask demo`: the example program on our plugin.

use crate::build::{Flavour, cmake, plugin, qt_source};
use crate::system::{Environment, packages, shell, workspace};
use anyhow::Result;
use std::process::{Command, ExitCode, Stdio};

/// Builds and runs it, and returns its exit code.
pub fn run(environment: &Environment) -> Result<ExitCode> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO].concat(), environment)?;
    let plugin_dir = plugin::build(Flavour::OURS, &qt_source::find(environment)?)?;
    let build_dir = workspace::target("qt-echo");
    cmake::build("examples/qt-echo", &build_dir, &[])?;

    let demo = shell().cmd(build_dir.join("qt-echo")).arg("--require-qdtls-rs");
    let status = Command::from(demo.env("QT_PLUGIN_PATH", plugin_dir)).stdin(Stdio::null()).status()?;
    // A program ended by a signal has no code.
    Ok(status.code().map_or(ExitCode::FAILURE, |code| ExitCode::from(code as u8)))
}
