// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine that documents' numbers were measured on.

use crate::system::{Run, cmd, shell};
use anyhow::Result;

/// What the numbers were measured on: names, and the commands that print their values.
const MACHINE: [(&str, &str); 8] = [
    ("processor", r"sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1"),
    ("logical processors", "nproc"),
    ("system", ". /etc/os-release && echo \"$PRETTY_NAME\""),
    ("kernel", "uname -sr"),
    ("Qt", "dpkg-query --show --showformat='${Version}' qt6-base-dev"),
    ("OpenSSL", "dpkg-query --show --showformat='${Version}' libssl-dev"),
    ("rustc", "rustc --version"),
    ("C++ compiler", "c++ --version | head -n 1"),
];

/// Their names and values.
pub fn describe() -> Result<Vec<(&'static str, String)>> {
    MACHINE.iter().map(|(name, line)| Ok((*name, cmd!(shell(), "sh -c {line}").capture()?))).collect()
}
