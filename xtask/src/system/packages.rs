// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Debian packages that each verb needs.

use crate::system::{Environment, Run, cmd, is_root, shell};
use anyhow::{Context, Result, ensure};
use itertools::Itertools;

/// For building the plugin: Qt with its private headers, compilers, OpenSSL, and what unpacks Qt's source.
#[rustfmt::skip]
pub const PLUGIN: &[&str] = &[
    "qt6-base-dev", "qt6-base-private-dev", "cmake", "ninja-build", "g++", "libssl-dev", "pkg-config", "dpkg-dev",
];

/// In addition for the demo: its peer.
pub const DEMO: &[&str] = &["openssl"];

/// In addition for the tests: peers, the checkers, and the other compiler.
pub const TEST: &[&str] = &["openssl", "gnutls-bin", "valgrind", "gdb", "clang-format", "clang"];

/// For comparing binary interfaces.
pub const ABI: &[&str] = &["abigail-tools", "gcc"];

/// In addition for the coverage of C++.
pub const COVERAGE: &[&str] = &["gcovr"];

/// For measuring the endpoint.
pub const ENDPOINT: &[&str] = &["cmake", "ninja-build", "g++", "libssl-dev", "openssl"];

/// In addition for foreign peers; each has its own, too.
pub const INTEROP: &[&str] = &["openssl", "python3-pip"];

/// In addition for captures of the network.
pub const KEY_LOG: &[&str] = &["tshark"];

/// In addition for the official binaries of Qt.
pub const WHEELS: &[&str] = &["openssl", "python3-pip", "patchelf"];

/// For building qtbase, and unpacking its source.
pub const IN_TREE: &[&str] = &["cmake", "ninja-build", "g++", "libssl-dev", "pkg-config", "dpkg-dev", "perl"];

/// For suites of Debian in folders.
pub const CHROOT: &[&str] = &["debootstrap", "util-linux", "mount"];

/// For making a Debian source package for the installed Qt.
pub const DEB_SOURCE: &[&str] = &["qt6-base-dev", "dpkg-dev", "git", "xz-utils"];

/// In addition for RPM packages.
pub const RPM: &[&str] = &["git", "make", "rpm", "xz-utils"];

/// For drawing the figures of the documents.
pub const FIGURES: &[&str] = &["graphviz", "mscgen"];

/// Installs the packages that are missing; fails instead if the user does not allow that.
pub fn ensure(packages: &[&str], environment: &Environment) -> Result<()> {
    // dpkg-query fails if it does not know one of them, but prints the others.
    let format = "${Package} ${db:Status-Status}\\n";
    let query = cmd!(shell(), "dpkg-query --show --showformat={format} {packages...}").outcome();
    let known = query.context("xtask needs Debian or Ubuntu; elsewhere use cmake/plugin directly")?.stdout;
    let is_missing = |package: &&&str| !known.lines().any(|line| line == format!("{package} installed"));
    let missing: Vec<_> = packages.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.iter().join(" ");
    let sudo = if is_root()? { None } else { Some("sudo") };
    let can_install = sudo.is_none() || cmd!(shell(), "sudo --version").outcome().is_ok();
    ensure!(!environment.no_install, "missing packages; run `apt-get install {list}` first");
    ensure!(can_install, "missing packages, and no sudo; run `apt-get install {list}` as root first");
    eprintln!("installing {list}");
    let apt_get = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    cmd!(shell(), "env {sudo...} {apt_get...} update").quietly()?;
    cmd!(shell(), "env {sudo...} {apt_get...} install --yes --no-install-recommends {missing...}").quietly()
}

/// One field of an installed package, such as its version.
pub fn field(package: &str, field: &str) -> Result<String> {
    let format = format!("${{{field}}}\\n");
    let lines = cmd!(shell(), "dpkg-query --show --showformat={format} {package}").capture()?;
    // One for each architecture it is installed for: they all have the same version.
    Ok(lines.lines().next().unwrap_or_default().into())
}
