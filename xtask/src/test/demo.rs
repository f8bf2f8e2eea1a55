// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask demo`: the example program on our plugin.

use crate::build::cmake;
use crate::build::plugin::{self, Flavour};
use crate::build::qt_source;
use crate::system::environment::Environment;
use crate::system::packages;
use crate::system::process::{self, command};
use crate::system::workspace;
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Builds and runs it; its exit code becomes ours.
pub fn run(environment: &Environment) -> Result<ExitCode> {
    packages::ensure(&[packages::PLUGIN, packages::DEMO].concat(), environment.install)?;
    let plugin_dir = plugin::build(Flavour::Rust, &qt_source::find(environment.qt_source.as_deref())?)?;
    let build_dir = workspace::target("qt-echo");
    cmake::build("examples/qt-echo", &build_dir, &[])?;

    let mut demo = command(build_dir.join("qt-echo"));
    demo.arg("--require-qdtls-rs").env("QT_PLUGIN_PATH", plugin_dir);
    let status = demo.status().with_context(|| format!("cannot run {}", process::name(&demo)))?;
    // A program ended by a signal has no code.
    Ok(status.code().map_or(ExitCode::FAILURE, |code| ExitCode::from(code as u8)))
}
