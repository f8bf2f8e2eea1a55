// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes, paths, packages of the machine: what the other folders stand on.

pub mod apt;
pub mod packages;
mod process;
pub mod template;
pub mod workspace;

pub use process::{Cmd, Outcome, Run, Shell, cargo, cmd, is_root, shell, shell_in};
use std::path::PathBuf;

/// What the user allows and provides.
pub struct Environment {
    /// Missing Debian packages may be installed.
    pub install: bool,
    /// Source of qtbase to use instead of the one that Debian's installed packages were built from.
    pub qt_source: Option<PathBuf>,
}
