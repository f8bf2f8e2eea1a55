// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask sbom`: a CycloneDX document that names the crates in the library.

use crate::check::package;
use crate::debian::source_package;
use crate::system::{Environment, Run, cargo, cmd, shell, shell_in, tools, workspace};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One package, which is not that of the repository around it.
const WORKSPACE: &str = "[workspace]\nmembers = [\"qdtls-rs-*\"]\nresolver = \"3\"\n";
const FORMAT: [&str; 6] =
    ["--format=json", "--spec-version=1.5", "--target=all", "--no-build-deps", "--all", "--quiet"];

/// Writes it and returns its path. It is the same wherever and whenever it is made of a commit.
pub fn run(environment: &Environment) -> Result<PathBuf> {
    let cyclonedx = tools::find("cargo-cyclonedx", "0.5.9", environment)?;
    let folder = workspace::target("sbom");
    let source = unpack(&folder)?;
    let name = source.file_name().and_then(|name| name.to_str()).context("a folder has a name")?;
    let (manifest, file_name) = (source.join("Cargo.toml"), format!("{name}.cdx"));
    let make = cmd!(shell(), "{cyclonedx} cyclonedx {FORMAT...} --manifest-path {manifest}");
    let make = make.args(["--override-filename", &file_name]);
    make.env("SOURCE_DATE_EPOCH", source_package::time()?).quietly()?;

    let text = workspace::read(source.join(format!("{file_name}.json")))?;
    let text = text.replace(&format!("path+file://{}#", source.display()), "");
    let text = text.replace("?download_url=file://.", "");
    let (named, used) = (named_crates(&text)?, used_crates(&[])?);
    ensure!(named == used, "the SBOM names {named:?}, but the library uses {used:?}");
    let sbom = folder.join(format!("{file_name}.json"));
    fs::write(&sbom, text)?;
    Ok(sbom)
}

/// Unpacks cargo's package, as a workspace of its own: cargo-cyclonedx writes a file beside every manifest of one.
fn unpack(folder: &Path) -> Result<PathBuf> {
    workspace::fresh(folder)?;
    let archive = package::pack(folder)?;
    let here = shell_in(folder);
    cmd!(here, "tar --extract --gzip --file {archive}").quietly()?;
    let source = folder.join(archive.file_stem().context("an archive has a name")?);
    fs::write(folder.join("Cargo.toml"), WORKSPACE)?;
    fs::rename(source.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(source)
}

/// The crates of a CycloneDX document, as `name version`.
fn named_crates(text: &str) -> Result<BTreeSet<String>> {
    let document: Value = serde_json::from_str(text)?;
    let components = document["components"].as_array().context("no components")?;
    let field = |component: &Value, name: &str| component[name].as_str().map(String::from);
    let name = |component| Some(format!("{} {}", field(component, "name")?, field(component, "version")?));
    components.iter().map(|component| name(component).context("a component without a name")).collect()
}

/// The crates that cargo compiles into the library, on any system; with other features than the usual ones, too.
fn used_crates(features: &[&str]) -> Result<BTreeSet<String>> {
    let cargo = cargo();
    let which = ["--locked", "--package=qdtls-rs", "--edges=normal", "--target=all"];
    let tree = cmd!(shell(), "{cargo} tree {which...} {features...} --prefix=none").capture()?;
    // As `libc v0.2.1`, the crate itself first.
    let lines = tree.lines().skip(1).filter(|line| !line.is_empty());
    let name = |line: &str| {
        let (name, version) = line.split_once(" v")?;
        Some(format!("{name} {}", version.split(' ').next()?))
    };
    lines.map(|line| name(line).with_context(|| format!("cannot read '{line}'"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_a_document_are_found() {
        let text = r#"{"components": [{"name": "libc", "version": "0.2.1"}, {"name": "subtle", "version": "2.6.1"}]}"#;
        assert_eq!(named_crates(text).unwrap(), ["libc 0.2.1", "subtle 2.6.1"].map(String::from).into());
        assert!(
            named_crates(r#"{"components": [{"name": "libc"}]}"#).is_err() && named_crates("{}").is_err()
        );
    }

    #[test]
    fn the_library_is_made_of_few_crates_and_none_of_a_test_or_build() {
        let names = |features| {
            let used = used_crates(features).unwrap();
            used.iter().filter_map(|used| used.split(' ').next().map(String::from)).collect::<Vec<_>>()
        };
        let library = ["libc", "openssl-sys", "subtle", "zeroize"];
        assert_eq!(names(&[]), library);
        assert_eq!(names(&["--no-default-features"]), library);
        // Those of the Rust API come by its feature only.
        let with_rust_api = names(&["--features=rust"]);
        assert!(library.iter().all(|name| with_rust_api.contains(&String::from(*name))));
        assert!(with_rust_api.contains(&"openssl".into()));
    }
}
