// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the documents say of files and versions is true.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Those for readers, at the root and in docs.
fn documents() -> Vec<PathBuf> {
    let files = [ROOT.into(), Path::new(ROOT).join("docs")].into_iter().flat_map(|folder| {
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path())
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

#[test]
fn e10_links_lead_to_files() {
    let documents = documents();
    assert!(documents.len() > 5, "{documents:?}");
    for document in documents {
        let folder = document.parent().expect("a folder");
        for link in fs::read_to_string(&document).expect("a text").split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let is_file = !target.is_empty() && !target.contains("://");
            assert!(!is_file || folder.join(target).exists(), "{}: {target}", document.display());
        }
    }
}

#[test]
fn e10_versions_are_those_of_the_sources() {
    let version = env!("CARGO_PKG_VERSION");
    let header = text("include/qdtls_rs.h");
    let abi =
        header.lines().find_map(|line| line.strip_prefix("#define QDTLS_ABI_VERSION ")).expect("a number");
    assert!(text("README.md").contains(&format!("Version {version}, ABI {abi}.")));
    let changes = text("CHANGELOG.md");
    let newest = changes.split("\n## ").nth(1).expect("a version");
    assert!(
        newest.starts_with(&format!("{version} - ")) && newest.contains(&format!("ABI {abi}.")),
        "{newest}"
    );

    let versions = text("cmake/versions.cmake");
    let lists = [("KNOWN", &["README.md", "docs/platforms.md"][..]), ("LIKELY", &["docs/platforms.md"])];
    for (list, documents) in lists {
        let (_, rest) = versions.split_once(&format!("set(QDTLS_RS_{list}_QT ")).expect("versions");
        let listed = rest.split(')').next().expect("the end of the list");
        for document in documents {
            let text = text(document);
            let missing: Vec<_> =
                listed.split_whitespace().filter(|version| !text.contains(*version)).collect();
            assert!(missing.is_empty(), "{document} does not name Qt {missing:?}");
        }
    }

    let rust = env!("CARGO_PKG_RUST_VERSION");
    for document in ["README.md", "docs/packaging.md"] {
        assert!(text(document).contains(&format!("Rust {rust}")), "{document} does not name Rust {rust}");
    }
    assert!(text("packaging/debian/control").contains(&format!("rustc:native (>= {rust})")));
    assert!(text("packaging/vcpkg/qdtls-rs/vcpkg.json").contains(&format!("\"version\": \"{version}\",")));
    let spec = text("packaging/rpm/qdtls-rs.spec");
    let has_line = |name: &str, value: &str| {
        spec.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.trim() == value))
    };
    assert!(has_line("Version:", version) && has_line("BuildRequires:", &format!("rust >= {rust}")));
}
