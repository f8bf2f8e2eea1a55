// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes, paths, packages of the machine: what the other folders stand on.

pub mod apt;
pub mod machine;
pub mod nightly;
pub mod packages;
pub mod pip;
mod process;
pub mod template;
pub mod tools;
pub mod workspace;

use clap::Args;
pub use process::{Cmd, Outcome, Run, Shell, both, cargo, cmd, is_root, rust_target, shell, shell_in};
use std::path::PathBuf;

/// What the user allows and provides.
#[derive(Args, Debug)]
pub struct Environment {
    /// Install nothing; fail if a prerequisite is missing
    #[arg(long, global = true)]
    pub no_install: bool,
    /// Use this source of qtbase; its version must be that of the installed Qt, or of the Qt to build
    #[arg(long, global = true, value_name = "DIR")]
    pub qt_source: Option<PathBuf>,
}
