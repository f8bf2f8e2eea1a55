// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the user allows and provides.

use std::path::PathBuf;

pub struct Environment {
    /// Missing Debian packages may be installed.
    pub install: bool,
    /// Source of qtbase to use instead of the one that Debian's installed packages were built from.
    pub qt_source: Option<PathBuf>,
}
