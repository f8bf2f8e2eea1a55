// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Debian packages that each verb needs.

use crate::system::process::{capture, command};
use anyhow::{Context, Result, bail};

/// For building the plugin: Qt with its private headers, what compiles it and finds OpenSSL, and what unpacks Qt's source.
pub const PLUGIN: &[&str] = &[
    "qt6-base-dev",
    "qt6-base-private-dev",
    "cmake",
    "ninja-build",
    "g++",
    "libssl-dev",
    "pkg-config",
    "dpkg-dev",
];

/// For the demo besides: the peer it talks to.
pub const DEMO: &[&str] = &["openssl"];

/// For the tests besides: a peer, and the checkers.
pub const TEST: &[&str] = &["openssl", "valgrind", "gdb", "clang-format"];

/// For building qtbase, and unpacking its source.
pub const IN_TREE: &[&str] = &["cmake", "ninja-build", "g++", "libssl-dev", "pkg-config", "dpkg-dev", "perl"];

/// For suites of Debian in folders.
pub const CHROOT: &[&str] = &["debootstrap", "util-linux", "mount"];

/// For making a Debian source package for the installed Qt.
pub const DEB_SOURCE: &[&str] = &["qt6-base-dev", "dpkg-dev", "git", "xz-utils"];

/// Sees to it that the packages are there, by installing them when that is wanted.
pub fn ensure(packages: &[&str], install: bool) -> Result<()> {
    let missing = missing(packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !install {
        bail!("missing packages; run `apt-get install {list}` first");
    }
    eprintln!("installing {list}");
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
}

/// One field of an installed package, such as its version.
pub fn field(package: &str, field: &str) -> Result<String> {
    capture(command("dpkg-query").args(["--show", &format!("--showformat=${{{field}}}"), package]))
}

fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    // dpkg-query fails when it knows nothing of one of them; what it prints of the others counts nevertheless.
    let output = command("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\\n"])
        .args(packages)
        .output()
        .context(
            "cannot run dpkg-query; xtask needs Debian or Ubuntu, elsewhere use cmake/plugin directly",
        )?;
    let known = String::from_utf8_lossy(&output.stdout);
    let installed = |package: &&str| known.lines().any(|line| line == format!("{package} installed"));
    Ok(packages.iter().copied().filter(|package| !installed(package)).collect())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let root = capture(command("id").arg("--user"))?.trim() == "0";
    let mut apt_get = if root { command("env") } else { command("sudo") };
    if !root {
        apt_get.arg("env");
    }
    capture(apt_get.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments))?;
    Ok(())
}
