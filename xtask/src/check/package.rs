// SPDX-License-Identifier: MIT OR Apache-2.0
//! cargo's package of the crate: complete, without warnings, and without what only work on the project needs.

use crate::system::{Run, cargo, cmd, shell, workspace};
use anyhow::{Context, Result, ensure};
use itertools::Itertools;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Some of what its users build and read; what documents link to is added.
const NEEDED: [&str; 10] = [
    "Cargo.lock",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "cbindgen.toml",
    "cmake/CMakeLists.txt",
    "cmake/qt-build.cmake",
    "examples/qt-echo/CMakeLists.txt",
    "include/qdtls_rs.h",
    "src/qt/qdtlsrs_plugin.cpp",
];
const UNWANTED: [&str; 6] = [".", "abi/", "fuzz/", "qt-tests/", "target/", "xtask/"];
/// The commit, which cargo adds.
const OF_CARGO: &str = ".cargo_vcs_info.json";

/// Packs without a network and without a build. `cargo package` without options also builds what it has packed.
pub fn check() -> Result<()> {
    let archive = pack(&workspace::target("check-package"))?;
    let list = cmd!(shell(), "tar --list --gzip --file {archive}").capture()?;
    // All is in one folder.
    let files: BTreeSet<_> =
        list.lines().filter_map(|line| line.split_once('/')).map(|(_, file)| file).collect();
    let missing = NEEDED.iter().filter(|file| !files.contains(**file)).join(", ");
    ensure!(missing.is_empty(), "cargo's package lacks {missing}");
    let is_unwanted =
        |file: &&&str| **file != OF_CARGO && UNWANTED.iter().any(|start| file.starts_with(start));
    let unwanted = files.iter().filter(is_unwanted).join(", ");
    ensure!(unwanted.is_empty(), "cargo's package has {unwanted}");
    for document in files.iter().filter(|file| file.ends_with(".md")) {
        let folder = Path::new(document).parent().context("a file has a folder")?;
        for link in links(&workspace::read(document)?) {
            let file = resolve(folder, &link);
            let is_packed = file.to_str().is_some_and(|file| files.contains(file));
            ensure!(is_packed, "{document} links to {link}, which cargo's package lacks");
        }
    }
    Ok(())
}

/// Packs the crate, with the files as they are here, and returns the archive.
pub fn pack(target_dir: &Path) -> Result<PathBuf> {
    let cargo = cargo();
    let options = ["--package", "qdtls-rs", "--allow-dirty", "--offline", "--no-verify"];
    let name = "cargo package";
    let packing = cmd!(shell(), "{cargo} package {options...} --target-dir {target_dir}").outcome()?;
    ensure!(packing.status.success(), "`{name}` failed: {}", packing.stderr);
    ensure!(!packing.stderr.contains("warning"), "`{name}` warns: {}", packing.stderr);
    Ok(target_dir.join("package").join(format!("qdtls-rs-{}.crate", env!("CARGO_PKG_VERSION"))))
}

/// The files that a document links to.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://")).map(String::from).collect()
}

/// The path from the root, without `..`.
fn resolve(folder: &Path, link: &str) -> PathBuf {
    let mut path = folder.to_owned();
    for part in link.split('/') {
        if part == ".." {
            path.pop();
        } else {
            path.push(part);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_from_the_root() {
        let text = "[a](../SECURITY.md#limits) [b](https://example.org/x) [c](#here) [d](figures/d.svg)";
        let found = links(text).into_iter().map(|link| resolve(Path::new("docs"), &link));
        assert_eq!(found.collect_vec(), [Path::new("SECURITY.md"), Path::new("docs/figures/d.svg")]);
    }
}
