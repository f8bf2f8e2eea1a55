// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Debian packages that each verb needs.

use crate::system::process::{Run, cmd, is_root, shell};
use anyhow::{Context, Result, ensure};

/// For building the plugin: Qt with its private headers, compilers, OpenSSL, and what unpacks Qt's source.
#[rustfmt::skip]
pub const PLUGIN: &[&str] = &[
    "qt6-base-dev", "qt6-base-private-dev", "cmake", "ninja-build", "g++", "libssl-dev", "pkg-config", "dpkg-dev",
];

/// In addition for the demo: its peer.
pub const DEMO: &[&str] = &["openssl"];

/// In addition for the tests: a peer, and the checkers.
pub const TEST: &[&str] = &["openssl", "valgrind", "gdb", "clang-format"];

/// For building qtbase, and unpacking its source.
pub const IN_TREE: &[&str] = &["cmake", "ninja-build", "g++", "libssl-dev", "pkg-config", "dpkg-dev", "perl"];

/// For suites of Debian in folders.
pub const CHROOT: &[&str] = &["debootstrap", "util-linux", "mount"];

/// For making a Debian source package for the installed Qt.
pub const DEB_SOURCE: &[&str] = &["qt6-base-dev", "dpkg-dev", "git", "xz-utils"];

/// For drawing the figures of the documents.
pub const FIGURES: &[&str] = &["graphviz", "mscgen"];

/// Installs the packages that are missing; fails instead if `install` is false.
pub fn ensure(packages: &[&str], install: bool) -> Result<()> {
    let missing = missing(packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    ensure!(install, "missing packages; run `apt-get install {list}` first");
    eprintln!("installing {list}");
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
}

/// One field of an installed package, such as its version.
pub fn field(package: &str, field: &str) -> Result<String> {
    let format = format!("${{{field}}}");
    cmd!(shell(), "dpkg-query --show --showformat={format} {package}").capture()
}

fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    // dpkg-query fails if it does not know one of them, but prints the others.
    let format = "${Package} ${db:Status-Status}\\n";
    let query = cmd!(shell(), "dpkg-query --show --showformat={format} {packages...}").outcome();
    let known = query.context("xtask needs Debian or Ubuntu; elsewhere use cmake/plugin directly")?.stdout;
    let installed = |package: &&str| known.lines().any(|line| line == format!("{package} installed"));
    Ok(packages.iter().copied().filter(|package| !installed(package)).collect())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let apt_get = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let command =
        if is_root()? { shell().cmd("env").args(&apt_get[1..]) } else { shell().cmd("sudo").args(apt_get) };
    command.args(arguments).quietly()
}
