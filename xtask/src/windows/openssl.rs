// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenSSL for Windows, of the source of the suite's own OpenSSL.

use crate::build::debian_source::Apt;
use crate::system::{Run, cmd, shell, shell_in, workspace};
use crate::windows::mingw::{self, PREFIX};
use anyhow::{Context, Result};
use itertools::Itertools;
use std::fs;
use std::path::{Path, PathBuf};

/// As DLLs, without the parts that take the most time to build and that DTLS does not use.
#[rustfmt::skip]
const OPTIONS: [&str; 12] = [
    "mingw64", "shared", "no-apps", "no-cmp", "no-docs", "no-engine", "no-legacy", "no-ml-dsa", "no-ml-kem", "no-quic",
    "no-slh-dsa", "no-tests",
];

/// The DLLs, and what a program is linked to in their place.
const LIBRARIES: [&str; 4] = ["libcrypto-3-x64.dll", "libssl-3-x64.dll", "libcrypto.dll.a", "libssl.dll.a"];

/// Builds and installs it, and returns its version.
pub fn build() -> Result<String> {
    let source = source()?;
    let folder = mingw::folder("openssl").join(source.file_name().context("a source has a name")?);
    fs::create_dir_all(&folder)?;
    let here = shell_in(&folder);
    if !folder.join("Makefile").exists() {
        let configure = source.join("Configure");
        let configure = cmd!(here, "perl {configure} {OPTIONS...} --cross-compile-prefix={PREFIX}");
        // Built in half of the time.
        configure.env("CFLAGS", "-O0").quietly()?;
    }
    eprintln!("building OpenSSL in {}", folder.display());
    cmd!(here, "make depend build_generated").quietly()?;
    let jobs = std::thread::available_parallelism()?.to_string();
    cmd!(here, "make --jobs={jobs} {LIBRARIES...}").quietly()?;
    install(&source, &folder)?;
    version(&source)
}

/// `make install` would build the static libraries, too.
fn install(source: &Path, folder: &Path) -> Result<()> {
    let root = mingw::root();
    let [include, bin, lib] = ["include", "bin", "lib"].map(|name| root.join(name));
    [&include, &bin, &lib].into_iter().try_for_each(fs::create_dir_all)?;
    // Some headers are the source's, and some are made.
    for headers in [source, folder].map(|folder| folder.join("include/openssl")) {
        cmd!(shell(), "cp --recursive --update {headers} {include}").quietly()?;
    }
    for library in LIBRARIES {
        let to = if library.ends_with(".dll") { &bin } else { &lib };
        fs::copy(folder.join(library), to.join(library)).context(library)?;
    }
    Ok(())
}

/// What a source says of its version.
fn version(source: &Path) -> Result<String> {
    let text = fs::read_to_string(source.join("VERSION.dat"))?;
    let part = |name| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    ["MAJOR", "MINOR", "PATCH"]
        .map(part)
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .map(|parts| parts.join("."))
        .context("no version in VERSION.dat")
}

/// That of the suite, the newest that its archive has: a copy of an archive can list one that it does not have yet.
fn source() -> Result<PathBuf> {
    let sources = workspace::target("openssl-source");
    let known = fs::read_dir(&sources).into_iter().flatten().flatten().map(|entry| entry.path());
    if let Some(source) = known.filter(|folder| folder.join("Configure").exists()).max() {
        return Ok(source);
    }
    let apt = Apt::of_machine(sources.join("apt"))?;
    let known = apt.known("openssl")?;
    let versions = known.lines().filter_map(|line| line.strip_prefix("Version: "));
    let trials = versions.sorted().rev().map(|version| {
        let folder = sources.join(version);
        apt.download("openssl", version, &folder).map(|()| folder)
    });
    trials.find_or_last(Result::is_ok).context("the suite's archive has no source of OpenSSL")?
}
