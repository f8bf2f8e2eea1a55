// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the numbers were measured on.

use crate::system::packages;
use crate::system::process::{Run, shell};
use anyhow::{Context, Result};
use std::fs;

/// Names and values, in the order in which they are shown.
pub fn describe() -> Result<Vec<(&'static str, String)>> {
    let line = |program: &str, argument: &str| -> Result<String> {
        let output = shell().cmd(program).arg(argument).capture()?;
        Ok(output.lines().next().unwrap_or_default().to_owned())
    };
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let system = fs::read_to_string("/etc/os-release")?;
    Ok(vec![
        ("processor", field(&cpus, "model name").context("no model name in /proc/cpuinfo")?),
        ("logical processors", std::thread::available_parallelism()?.to_string()),
        ("system", field(&system, "PRETTY_NAME").context("no PRETTY_NAME in /etc/os-release")?),
        ("kernel", line("uname", "-sr")?),
        ("Qt", packages::field("qt6-base-dev", "Version")?),
        ("OpenSSL", packages::field("libssl-dev", "Version")?),
        ("rustc", line("rustc", "--version")?),
        ("C++ compiler", line("c++", "--version")?),
    ])
}

/// `value` of the first line `name : value` or `name="value"`.
fn field(text: &str, name: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(rest.trim_start().trim_start_matches([':', '=']).trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_found_in_both_formats() {
        let cpus = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!(super::field(cpus, "model name").as_deref(), Some("A CPU @ 2 GHz"));
        assert_eq!(super::field("NAME=\"x\"\n", "NAME").as_deref(), Some("x"));
        assert_eq!(super::field("NAME=\"x\"\n", "VERSION"), None);
    }
}
